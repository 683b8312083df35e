package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
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
		if r.kind != 6 && met(t, assemble(without)) { // counts may be missing: the entries say the same
			t.Errorf("accepted without record %d (kind %d)", i, r.kind)
		}
		twice := append(append(append([]record{}, list[:i]...), r), list[i:]...)
		if met(t, assemble(twice)) {
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

// A complete bundle that contradicts its own form is the fault of whoever made or changed it: a verdict, exit 1. One that
// ends too early was not received: no verdict, exit 2.
func TestMalformedIsAVerdictAndCutOffIsNone(t *testing.T) {
	list := records(t, sample(t))
	at := func(kind byte) *record {
		for i := range list {
			if list[i].kind == kind {
				return &list[i]
			}
		}
		t.Fatalf("no record of kind %d", kind)
		return nil
	}
	spoil := map[string]func(){
		"a header that is no JSON":                      func() { at(1).body[0] = 'x' },
		"session evidence that is no JSON":              func() { at(2).body[0] = 'x' },
		"evidence that is no JSON":                      func() { at(3).body[0] = 'x' },
		"a signature line that is not base64":           func() { b := at(5).body; b[len(b)-2] = '!' },
		"a checkpoint of another size":                  func() { b := at(5).body; b[bytes.IndexByte(b, '\n')+1] ^= 1 },
		"counts that are no CBOR":                       func() { at(6).body[0] = 0xff },
		"an entry of unknown status":                    func() { at(7).body[0] = 99 },
		"an entry whose leaf is longer than its record": func() { at(7).body[1] = 0xff },
	}
	for name, f := range spoil {
		list = records(t, sample(t))
		f()
		r, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindBundle, Log: bytes.NewReader(assemble(list)), Verifier: shared}, simulated(), time.Now())
		if err != nil || r.Exit != 1 || r.Tier != appraisal.Contraindicated {
			t.Errorf("%s: exit %d, tier %s, %v", name, r.Exit, r.Tier, err)
		}
	}
	file := sample(t)
	for _, n := range []int{16, 100, len(file) / 2, len(file) - 1} {
		if _, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindBundle, Log: bytes.NewReader(file[:n]), Verifier: shared}, simulated(), time.Now()); err == nil {
			t.Errorf("the first %d of %d bytes got a verdict", n, len(file))
		}
	}
	file[len(file)-1] ^= 1 // the checksum alone
	r, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindBundle, Log: bytes.NewReader(file), Verifier: shared}, simulated(), time.Now())
	if err != nil || r.Exit != 1 || r.Find("consistency.checksum").Outcome != appraisal.Failed || r.Find("consistency.root").Outcome != appraisal.Passed {
		t.Errorf("a damaged checksum: exit %d, %v, %+v", r.Exit, err, r.Find("consistency.checksum"))
	}
}

// The same for what a server answers.
func TestMalformedAnswersAreAVerdict(t *testing.T) {
	for _, c := range []struct {
		name, boot string
		judged     bool
	}{
		{"boot evidence that is no evidence", `{"type":"teapot/evidence/v1","platform":"simulator"}`, true},
		{"boot evidence that is no JSON", `{"type";}`, true},
		{"boot evidence that ends too early", `{"type":"teapot/evid`, false},
		{"nothing", ``, false},
	} {
		r, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindURL, Boot: []byte(c.boot), Session: []byte(`{}`)}, simulated(), time.Now())
		if (err == nil) != c.judged || c.judged && (r.Exit != 1 || r.Tier != appraisal.Contraindicated) {
			t.Errorf("%s: exit %d, tier %s, %v", c.name, r.Exit, r.Tier, err)
		}
	}
}
