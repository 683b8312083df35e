package envelope

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func key(kind Kind, b byte) Key { return Key{Kind: kind, Secret: bytes.Repeat([]byte{b}, 16)} }

func TestAnySlotOpens(t *testing.T) {
	keys := []Key{key(MRENCLAVE, 1), key(MRSIGNER, 2), key(Provisioned, 3)}
	want, sealed, err := New(keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		got, kind, err := Open(sealed, []Key{k})
		if err != nil || !bytes.Equal(got, want) || kind != k.Kind {
			t.Errorf("slot %s: %v", k.Kind, err)
		}
	}
}

// TestMicrocodeUpdateLosesNothing: both sealing keys change, the provisioned slot still opens, and sealing anew restores them.
func TestMicrocodeUpdateLosesNothing(t *testing.T) {
	want, sealed, err := New([]Key{key(MRENCLAVE, 1), key(MRSIGNER, 2), key(Provisioned, 3)})
	if err != nil {
		t.Fatal(err)
	}
	after := []Key{key(MRENCLAVE, 11), key(MRSIGNER, 12), key(Provisioned, 3)}
	got, kind, err := Open(sealed, after)
	if err != nil || kind != Provisioned || !bytes.Equal(got, want) {
		t.Fatalf("opened by %q: %v", kind, err)
	}
	if sealed, err = Seal(got, after); err != nil {
		t.Fatal(err)
	}
	if _, kind, err := Open(sealed, after[:1]); err != nil || kind != MRENCLAVE {
		t.Errorf("after sealing anew: %q, %v", kind, err)
	}
}

func TestWrongKeysAndKindsDoNotOpen(t *testing.T) {
	_, sealed, err := New([]Key{key(MRENCLAVE, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []Key{key(MRENCLAVE, 9), key(MRSIGNER, 1), key(Operator, 1)} {
		if _, _, err := Open(sealed, []Key{k}); !errors.Is(err, ErrNoSlot) {
			t.Errorf("%s opened: %v", k.Kind, err)
		}
	}
}

func TestForeignBytesAreRefused(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"type":"teapot/envelope/v2","slots":[{}]}`, `{"type":"teapot/envelope/v1","slots":[]}`} {
		if _, _, err := Open([]byte(bad), []Key{key(MRENCLAVE, 1)}); err == nil || errors.Is(err, ErrNoSlot) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := Seal(make([]byte, 32), nil); err == nil {
		t.Error("an envelope without slots was made")
	}
	if _, err := Seal(make([]byte, 32), []Key{{Kind: Operator, Secret: []byte("short")}}); err == nil {
		t.Error("a five-byte key was accepted")
	}
}

func TestKindsAreForCustody(t *testing.T) {
	_, sealed, err := New([]Key{key(Operator, 1), key(MRENCLAVE, 2), key(MRENCLAVE, 3)})
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := Kinds(sealed)
	if err != nil || !slices.Equal(kinds, []Kind{MRENCLAVE, Operator}) {
		t.Errorf("kinds %v, %v", kinds, err)
	}
}
