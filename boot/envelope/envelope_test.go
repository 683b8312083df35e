package envelope

import (
	"bytes"
	"errors"
	"testing"

	"github.com/teapot-tee/teapot/boot/operator"
)

func key(kind Kind, b byte) Key { return Key{Kind: kind, Secret: bytes.Repeat([]byte{b}, 16)} }

func person(t *testing.T) *operator.SecretKey {
	t.Helper()
	k, err := operator.New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAnySlotOpens(t *testing.T) {
	keys, p := []Key{key(MRENCLAVE, 1), key(MRSIGNER, 2)}, person(t)
	want, sealed, err := New(keys, p.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		got, kind, err := Open(sealed, []Key{k})
		if err != nil || !bytes.Equal(got, want) || kind != k.Kind {
			t.Errorf("slot %s: %v", k.Kind, err)
		}
	}
	if got, err := OpenAsOperator(sealed, p); err != nil || !bytes.Equal(got, want) {
		t.Errorf("operator: %v", err)
	}
	if _, err := OpenAsOperator(sealed, person(t)); !errors.Is(err, ErrNoSlot) {
		t.Errorf("another operator: %v", err)
	}
}

// TestMicrocodeUpdateLosesNothing: both sealing keys change, the operator's slot still opens, and sealing anew restores them.
func TestMicrocodeUpdateLosesNothing(t *testing.T) {
	p := person(t)
	want, sealed, err := New([]Key{key(MRENCLAVE, 1), key(MRSIGNER, 2)}, p.Public())
	if err != nil {
		t.Fatal(err)
	}
	after := []Key{key(MRENCLAVE, 11), key(MRSIGNER, 12)}
	if _, _, err := Open(sealed, after); !errors.Is(err, ErrNoSlot) {
		t.Fatalf("%v", err)
	}
	got, err := OpenAsOperator(sealed, p)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatal(err)
	}
	if sealed, err = Seal(got, after, p.Public()); err != nil {
		t.Fatal(err)
	}
	if _, kind, err := Open(sealed, after[:1]); err != nil || kind != MRENCLAVE {
		t.Errorf("after sealing anew: %q, %v", kind, err)
	}
}

func TestTheOperatorsSlotIsOffByDefault(t *testing.T) {
	p := person(t)
	dataKey, with, err := New([]Key{key(MRENCLAVE, 1)}, p.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAsOperator(with, p); err != nil {
		t.Fatal(err)
	}
	sealed, err := Seal(dataKey, []Key{key(MRENCLAVE, 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAsOperator(sealed, p); !errors.Is(err, ErrNoSlot) {
		t.Errorf("a slot that is no longer wanted is still there: %v", err)
	}
}

func TestWrongKeysAndKindsDoNotOpen(t *testing.T) {
	_, sealed, err := New([]Key{key(MRENCLAVE, 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []Key{key(MRENCLAVE, 9), key(MRSIGNER, 1)} {
		if _, _, err := Open(sealed, []Key{k}); !errors.Is(err, ErrNoSlot) {
			t.Errorf("%s opened: %v", k.Kind, err)
		}
	}
}

func TestForeignBytesAreRefused(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"type":"teapot/envelope/v1","slots":[{}]}`, `{"type":"teapot/envelope/v2","slots":[]}`} {
		if _, _, err := Open([]byte(bad), []Key{key(MRENCLAVE, 1)}); err == nil || errors.Is(err, ErrNoSlot) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for name, keys := range map[string][]Key{"none": nil, "short": {{Kind: MRENCLAVE, Secret: []byte("short")}}, "no sealing key": {key(Operator, 1)}} {
		if _, err := Seal(make([]byte, 32), keys, nil); err == nil {
			t.Errorf("%s: an envelope was made", name)
		}
	}
}
