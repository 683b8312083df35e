package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
)

func defaultID(seed []byte) string {
	sum := sha256.Sum256(append([]byte("teapot/sim-pki/id\x00"), seed...))
	return hex.EncodeToString(sum[:4])
}

// derive returns n bytes that only the seed and the label decide (HKDF-SHA-256, RFC 5869).
func (a *Authority) derive(label string, n int) []byte {
	out, err := hkdf.Key(sha256.New, a.seed, nil, "teapot/sim-pki/"+label, n)
	if err != nil {
		panic("internal: pki: hkdf: " + err.Error()) // only for absurd lengths
	}
	return out
}

// key derives a P-256 key: the first candidate scalar in 1..n-1.
func (a *Authority) key(label string) *ecdsa.PrivateKey {
	for i := 0; ; i++ {
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), a.derive(fmt.Sprintf("key/%s/%d", label, i), 32))
		if err == nil {
			return k
		}
	}
}

// serial derives a positive serial number of 20 bytes at most (RFC 5280 section 4.1.2.2).
func (a *Authority) serial(label string) *big.Int {
	b := a.derive("serial/"+label, 20)
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b)
}

// rawPublic returns x||y, 64 bytes big-endian, as quotes carry it.
func rawPublic(k *ecdsa.PrivateKey) []byte {
	point, err := k.PublicKey.Bytes()
	if err != nil {
		panic("internal: pki: public key: " + err.Error())
	}
	return point[1:]
}

// RandomKey draws a P-256 key that no seed gives: for platforms and attestation keys in numbers.
func RandomKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("internal: pki: " + err.Error()) // crypto/rand does not fail
	}
	return k
}
