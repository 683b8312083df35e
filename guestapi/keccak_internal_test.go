package guestapi

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/crypto/sha3"
)

func TestKeccak(t *testing.T) {
	for n := range 300 {
		msg := bytes.Repeat([]byte{byte(n)}, n)
		h256, h512 := sha3.NewLegacyKeccak256(), sha3.NewLegacyKeccak512()
		h256.Write(msg)
		h512.Write(msg)
		if !bytes.Equal(keccakSum(msg, 32), h256.Sum(nil)) || !bytes.Equal(keccakSum(msg, 64), h512.Sum(nil)) {
			t.Fatalf("%d bytes", n)
		}
	}
	const abc = "f7df1165f033337be098e7d288ad6a2f74409d7a60b49c36642218de161b1f99f8c681e4afaf31a34db29fb763e3c28e" // Keccak team, KAT
	if got := hex.EncodeToString(keccakSum([]byte("abc"), 48)); got != abc {
		t.Errorf("keccak384(abc) = %s", got)
	}
}

func FuzzProto(f *testing.F) {
	f.Add([]byte("\x0a\x01p\x1a\x01a\x20\x01"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var q deriveKeyRequest
		if unmarshalProto(raw, &q) != nil {
			return
		}
		var again deriveKeyRequest
		if err := unmarshalProto(marshalProto(&q), &again); err != nil || again.Path != q.Path || strings.Join(again.AltNames, "|") != strings.Join(q.AltNames, "|") {
			t.Errorf("%+v became %+v: %v", q, again, err)
		}
	})
}
