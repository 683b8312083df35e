package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Sign returns r||s, 32+32 bytes big-endian, over SHA-256(message): the signature form of quotes, TCB info and
// identities. It is deterministic (RFC 6979).
func Sign(k *ecdsa.PrivateKey, message []byte) ([64]byte, error) {
	var raw [64]byte
	digest := sha256.Sum256(message)
	der, err := k.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return raw, fmt.Errorf("pki: signing: %w", err)
	}
	var r, s []byte
	input, inner := cryptobyte.String(der), cryptobyte.String(nil)
	if !input.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) {
		return raw, fmt.Errorf("pki: signing: unexpected signature encoding")
	}
	copy(raw[32-len(r):], r)
	copy(raw[64-len(s):], s)
	return raw, nil
}

// deterministic is a signer that ignores the randomness crypto/x509 offers it.
type deterministic struct{ *ecdsa.PrivateKey }

func (d deterministic) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return d.PrivateKey.Sign(nil, digest, opts)
}
