package tlog

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// modes returns fxamacker's deterministic encoder and a decoder that refuses what is not deterministic.
func modes(t *testing.T) (cbor.EncMode, cbor.DecMode) {
	t.Helper()
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	dec, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return enc, dec
}

// sample is a log with every kind of body, and leaves with random fields.
func sample(t *testing.T) *tlogtest.Log {
	l := tlogtest.New(t)
	l.Boot()
	l.Say("message", "hello")
	l.Erase(tlog.RequesterOperator, 1)
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		l.Say([]string{"message", "app/a-very-long-name-of-a-type", "x"}[r.IntN(3)], "text", func(x *tlog.Leaf) {
			x.Clamped, x.Speaker, x.Source = r.IntN(2) == 0, tlog.Speaker(r.IntN(4)), tlog.Source(r.IntN(4))
			x.Time = uint64(r.Int64N(1 << uint(1+r.IntN(53))))
			x.Content.SizeClass, x.Content.Visibility = uint8(r.IntN(64)), tlog.Visibility(r.IntN(3))
			for c := uint64(0); c < x.Index && len(x.Cause) < 30; c += 1 + uint64(r.IntN(20)) {
				x.Cause = append(x.Cause, c)
			}
			if r.IntN(3) == 0 {
				x.Room, x.User, x.Content = tlog.Pseudonym{}, tlog.Pseudonym{}, tlog.Content{}
			}
		})
	}
	return l
}

func TestFxamackerWritesTheSamePayload(t *testing.T) {
	enc, dec := modes(t)
	l := sample(t)
	for i, leaf := range l.Leaves {
		var whole cbor.Tag
		if err := dec.Unmarshal(leaf, &whole); err != nil || whole.Number != 18 {
			t.Fatalf("leaf %d: %v", i, err)
		}
		again, err := enc.Marshal(whole)
		if err != nil || !bytes.Equal(again, leaf) {
			t.Fatalf("leaf %d: fxamacker writes %x, we %x: %v", i, again, leaf, err)
		}
		parts := whole.Content.([]any)
		for _, part := range []any{parts[0], parts[2]} {
			var v map[int]any
			if err := dec.Unmarshal(part.([]byte), &v); err != nil {
				t.Fatal(err)
			}
			if again, err := enc.Marshal(v); err != nil || !bytes.Equal(again, part.([]byte)) {
				t.Fatalf("leaf %d: fxamacker writes %x, we %x: %v", i, again, part, err)
			}
		}
	}
}

func TestFxamackerWritesTheSameKinds(t *testing.T) {
	enc, _ := modes(t)
	l := sample(t)
	counts := map[string]uint64{}
	for name, next := range l.Kinds.All {
		counts[name] = next
	}
	theirs, err := enc.Marshal(counts)
	if err != nil || !bytes.Equal(theirs, l.Kinds.Append(nil)) {
		t.Errorf("they %x, we %x: %v", theirs, l.Kinds.Append(nil), err)
	}
	d := tlog.Disclosed{Room: "room", User: "user", Content: bytes.Repeat([]byte("x"), 300)}
	ours, err := d.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = enc.Marshal(map[int]any{1: d.Room, 2: d.User, 3: d.Content})
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("disclosed part: they %x, we %x: %v", theirs, ours, err)
	}
}

func TestGoCOSEReadsOurLeaves(t *testing.T) {
	l := sample(t)
	good, err := cose.NewVerifier(cose.AlgorithmEdDSA, l.Agent.Public())
	if err != nil {
		t.Fatal(err)
	}
	for i, leaf := range l.Leaves {
		var m cose.Sign1Message
		if err := m.UnmarshalCBOR(leaf); err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
		if err := m.Verify(nil, good); err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
		claims := m.Headers.Protected[int64(15)].(map[any]any)
		if m.Headers.Protected[int64(3)] != tlog.ContentType || claims[int64(1)] != l.Origin || claims[int64(2)] != tlogtest.Agent {
			t.Fatalf("leaf %d: %+v", i, m.Headers.Protected)
		}
		back, err := m.MarshalCBOR()
		if err != nil || !bytes.Equal(back, leaf) {
			t.Fatalf("leaf %d: go-cose writes %x, we %x: %v", i, back, leaf, err)
		}
	}
}

func TestGoCOSEReadsOurReceipt(t *testing.T) {
	l := sample(t)
	root := l.Hashes.Root()
	receipt, err := tlog.SignCOSEReceipt(l.Origin, l.LogKey, 7, l.Hashes.Size(), l.Path(7), root)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := tlog.AttachReceipt(l.Leaves[7], receipt)
	if err != nil {
		t.Fatal(err)
	}
	var m, r cose.Sign1Message
	if err := m.UnmarshalCBOR(statement); err != nil {
		t.Fatal(err)
	}
	attached := m.Headers.Unprotected[int64(394)].([]any)[0].([]byte)
	if err := r.UnmarshalCBOR(attached); err != nil {
		t.Fatal(err)
	}
	if r.Headers.Protected[int64(395)] != int64(1) || r.Payload != nil {
		t.Errorf("%+v", r.Headers.Protected)
	}
	logKey, err := cose.NewVerifier(cose.AlgorithmEdDSA, tlogtest.Pub(1))
	if err != nil {
		t.Fatal(err)
	}
	r.Payload = root[:] // detached: the verifier supplies the root it computed
	if err := r.Verify(nil, logKey); err != nil {
		t.Error(err)
	}
	proofs := r.Headers.Unprotected[int64(396)].(map[any]any)[int64(-1)].([]any)
	var p []any
	if err := cbor.Unmarshal(proofs[0].([]byte), &p); err != nil || p[0] != l.Hashes.Size() || p[1] != uint64(7) || len(p[2].([]any)) != len(l.Path(7)) {
		t.Errorf("%v %v", p, err)
	}
}
