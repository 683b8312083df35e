// Package dstackkey is the key arithmetic of dstack's guest agent and of tappd: the derivation tree under an app's root key
// (v0 and v1), the P-256 keys of DeriveKey, and the chains of recoverable signatures that vouch for derived keys.
//
// It trusts the root it is given. A chain proves nothing until the recovered KMS key equals one the reader pinned: recovery
// always succeeds with some key. Sources: Dstack-TEE/dstack docs/guest-api-v0.md, docs/guest-api-v1.md (0.6.0), ra-tls kdf.
package dstackkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
)

// Derive is HKDF-SHA256 with salt "RATLS" over the concatenated contexts, 32 bytes.
func Derive(ikm []byte, contexts ...[]byte) [32]byte {
	var info []byte
	for _, c := range contexts {
		info = append(info, c...)
	}
	return expand(ikm, "RATLS", info)
}

// AppRootOfSeed is the app's secp256k1 root without a KMS.
func AppRootOfSeed(seed []byte) [32]byte { return Derive(seed, []byte("app-k256-key")) }

// GetKey is v0: neither purpose nor algorithm enters, so one path gives one secret for every curve.
func GetKey(appRoot []byte, path string) [32]byte { return Derive(appRoot, []byte(path)) }

// GetKeyV1 is dstack.guest.v1: algorithm and domain enter with their lengths.
func GetKeyV1(appRoot []byte, algorithm, domain string) [32]byte {
	return expand(appRoot, "dstack-guest-v1", lengthPrefixed("dstack-guest-v1-key", algorithm, domain))
}

// P256 reads 32 bytes as a P-256 scalar; out of range is an error, as upstream.
func P256(scalar [32]byte) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		return nil, fmt.Errorf("the bytes are not a P-256 scalar: %w", err)
	}
	return key, nil
}

// DER is the PKCS#8 encoding of a P-256 key, always 138 bytes; what DeriveKey's PEM holds and clients hash.
func DER(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a P-256 key: %w", err)
	}
	return der, nil
}

func expand(ikm []byte, salt string, info []byte) [32]byte {
	out, err := hkdf.Key(sha256.New, ikm, []byte(salt), string(info), 32)
	if err != nil {
		panic("internal: HKDF of 32 bytes: " + err.Error()) // only lengths above 8160 fail
	}
	return [32]byte(out)
}

func lengthPrefixed(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(p))), p...)
	}
	return out
}
