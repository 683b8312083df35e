package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/verify"
)

// met says whether a bundle file is accepted under the friendliest policy there is.
func met(t *testing.T, file []byte) bool {
	t.Helper()
	r, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindBundle, Log: bytes.NewReader(file), Verifier: shared}, simulated(), time.Now())
	return err == nil && r.Err() == nil
}

// record is one record of a bundle: kind, length, body.
type record struct {
	kind byte
	body []byte
}

func records(t *testing.T, file []byte) []record {
	t.Helper()
	rest, ok := bytes.CutPrefix(file, []byte(bundle.Magic))
	if !ok {
		t.Fatal("no bundle")
	}
	var out []record
	for len(rest) > 0 {
		n := binary.BigEndian.Uint32(rest[1:5])
		out = append(out, record{rest[0], rest[5 : 5+n]})
		rest = rest[5+n:]
	}
	return out
}

// assemble writes records with a checksum that fits: the attacker can compute it too.
func assemble(list []record) []byte {
	b := []byte(bundle.Magic)
	for _, r := range list {
		if r.kind == 9 {
			sum := sha256.Sum256(b)
			r.body = sum[:]
		}
		b = append(b, r.kind)
		b = binary.BigEndian.AppendUint32(b, uint32(len(r.body)))
		b = append(b, r.body...)
	}
	return b
}

func sample(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	first := begin(t, dir)
	first.talk(t, 2)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := begin(t, dir)
	second.talk(t, 2)
	nonce := bytes.Repeat([]byte{5}, 32)
	session, err := second.Session(t.Context(), nonce, none())
	if err != nil {
		t.Fatal(err)
	}
	return second.bundle(t, actionlog.Extract{Nonce: nonce, Session: session, Contents: true})
}

func TestBundleFileSaysTheSameAsTheServer(t *testing.T) {
	file := sample(t)
	r, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindBundle, Log: bytes.NewReader(file)}, simulated(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	wantMet(t, r)
	for _, id := range []string{"freshness.nonce", "session.channel"} {
		if c := r.Find(id); c.Detail != "file" {
			t.Errorf("%s: %s %q", id, c.Outcome, c.Detail)
		}
	}
	if !bytes.Equal(assemble(records(t, file)), file) {
		t.Fatal("the test's own writer differs from the bundle's")
	}
}

// Every byte of the file in turn: a flip is noticed. The checksum at the end finds them all, so this says little about an
// attacker; the next test repairs the checksum.
func TestEveryFlippedByteIsNoticed(t *testing.T) {
	file := sample(t)
	step := max(1, len(file)/400)
	for i := 0; i < len(file); i += step {
		file[i] ^= 1 << (i % 8)
		if met(t, file) {
			t.Fatalf("byte %d of %d flipped and accepted", i, len(file))
		}
		file[i] ^= 1 << (i % 8)
	}
}

// The same with a checksum that fits. Evidence is named by its hash in the boot leaf, entries by the tree; header and
// session are outside both: what can be flipped there is the query (another honest question) and what no verdict uses.
func TestEveryFlippedByteIsNoticedWithoutTheChecksum(t *testing.T) {
	list := records(t, sample(t))
	for k, r := range list {
		if r.kind < 3 || r.kind == 9 {
			continue
		}
		step := max(1, len(r.body)/16)
		for i := 0; i < len(r.body); i += step {
			r.body[i] ^= 1 << (i % 8)
			if met(t, assemble(list)) {
				t.Fatalf("record %d (kind %d): byte %d flipped and accepted", k, r.kind, i)
			}
			r.body[i] ^= 1 << (i % 8)
		}
	}
}

func TestDroppedDuplicatedAndReorderedPartsAreNoticed(t *testing.T) {
	list := records(t, sample(t))
	if !met(t, assemble(list)) {
		t.Fatal("the sample itself is not accepted")
	}
	for i, r := range list {
		if r.kind == 9 {
			continue
		}
		without := append(append([]record{}, list[:i]...), list[i+1:]...)
		if r.kind != 2 && r.kind != 6 && met(t, assemble(without)) { // session and counts may be missing: nothing then claims them
			t.Errorf("accepted without record %d (kind %d)", i, r.kind)
		}
		twice := append(append(append([]record{}, list[:i]...), r), list[i:]...)
		if met(t, assemble(twice)) && r.kind != 3 { // evidence twice is evidence
			t.Errorf("accepted with record %d (kind %d) twice", i, r.kind)
		}
		if i+1 < len(list) && list[i+1].kind != 9 {
			swapped := append([]record{}, list...)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			if met(t, assemble(swapped)) {
				t.Errorf("accepted with records %d and %d swapped (kinds %d and %d)", i, i+1, r.kind, list[i+1].kind)
			}
		}
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	file := sample(t)
	for n := 0; n < len(file); n += max(1, len(file)/100) {
		if met(t, file[:n]) {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(file))
		}
	}
	if met(t, append(bytes.Clone(file), 0)) {
		t.Fatal("a byte after the end was accepted")
	}
}
