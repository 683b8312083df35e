package keys

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

// EVM is an Ethereum-like wallet: a secp256k1 key.
type EVM struct {
	key     *secp256k1.PrivateKey
	address string
}

// NewEVM makes the wallet of a 32-byte scalar. Zero and values from the group order on are refused, never reduced.
func NewEVM(secret [32]byte) (*EVM, error) {
	key, err := Secp256k1Key(secret)
	if err != nil {
		return nil, err
	}
	return &EVM{key, AddressEVM(key.PubKey())}, nil
}

// Secp256k1Key reads a scalar, 32 bytes big-endian, 0 < scalar < order.
func Secp256k1Key(secret [32]byte) (*secp256k1.PrivateKey, error) {
	var s secp256k1.ModNScalar
	if s.SetBytes(&secret) != 0 || s.IsZero() {
		return nil, errors.New("the bytes are not a secp256k1 scalar")
	}
	return secp256k1.NewPrivateKey(&s), nil
}

// Address is the EIP-55 address.
func (e *EVM) Address() string { return e.address }

// Public is the uncompressed public key, 65 bytes beginning with 4 (SEC 1 §2.3.3).
func (e *EVM) Public() []byte { return e.key.PubKey().SerializeUncompressed() }

// Compressed is the compressed public key, 33 bytes (SEC 1 §2.3.3).
func (e *EVM) Compressed() []byte { return e.key.PubKey().SerializeCompressed() }

// SignDigest signs 32 bytes: r ‖ s ‖ v with v 0 or 1, deterministic (RFC 6979) and low-S. Only the agent's gate calls it.
func (e *EVM) SignDigest(digest [32]byte) [65]byte {
	compact := ecdsa.SignCompact(e.key, digest[:], false) // 27+v ‖ r ‖ s
	var out [65]byte
	copy(out[:], compact[1:])
	out[64] = compact[0] - 27
	return out
}

// SignMessage signs a message as EIP-191 personal_sign: r ‖ s ‖ v with v 27 or 28.
func (e *EVM) SignMessage(message []byte) [65]byte {
	sig := e.SignDigest(HashMessage(message))
	sig[64] += 27
	return sig
}

// HashMessage is EIP-191 version 0x45: keccak-256("\x19Ethereum Signed Message:\n" ‖ decimal length ‖ message).
func HashMessage(message []byte) [32]byte {
	return Keccak256([]byte("\x19Ethereum Signed Message:\n"+strconv.Itoa(len(message))), message)
}

// RecoverEVM returns the address that signed a message (EIP-191); v is 27 or 28, high-S is refused.
func RecoverEVM(message []byte, signature [65]byte) (string, error) {
	if v := signature[64]; v != 27 && v != 28 {
		return "", fmt.Errorf("v is %d, want 27 or 28", v)
	}
	pub, err := recover256(HashMessage(message), signature, signature[64]-27)
	if err != nil {
		return "", err
	}
	return AddressEVM(pub), nil
}

func recover256(digest [32]byte, signature [65]byte, v byte) (*secp256k1.PublicKey, error) {
	var s secp256k1.ModNScalar
	if s.SetByteSlice(signature[32:64]) || s.IsOverHalfOrder() {
		return nil, errors.New("signature has a high S")
	}
	pub, _, err := ecdsa.RecoverCompact(append([]byte{27 + v}, signature[:64]...), digest[:])
	if err != nil {
		return nil, fmt.Errorf("recovering the signer: %w", err)
	}
	return pub, nil
}

// AddressEVM is the EIP-55 address of a public key.
func AddressEVM(pub *secp256k1.PublicKey) string {
	sum := Keccak256(pub.SerializeUncompressed()[1:])
	return checksumEIP55(hex.EncodeToString(sum[12:]))
}

// checksumEIP55 upper-cases the letters whose nibble in keccak-256(lower-case hex) is 8 or more.
func checksumEIP55(lower string) string {
	sum := Keccak256([]byte(lower))
	nibbles := hex.EncodeToString(sum[:])
	out := []byte(lower)
	for i := range out {
		if nibbles[i] >= '8' {
			out[i] = strings.ToUpper(lower)[i]
		}
	}
	return "0x" + string(out)
}

// Keccak256 is Ethereum's hash (original Keccak padding, not SHA3-256).
func Keccak256(parts ...[]byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		_, _ = h.Write(p) // never fails (hash.Hash)
	}
	h.Sum(sum[:0])
	return sum
}
