package memory

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// sealer authenticates vectors: a host that could choose them would choose what the agent remembers.
// Form: 12 random bytes ‖ AES-256-GCM(float32 little-endian …), AAD = index as 8 bytes big-endian.
type sealer struct{ aead cipher.AEAD }

func newSealer(key [32]byte) (sealer, error) {
	derived, err := hkdf.Key(sha256.New, key[:], nil, "teapot/memory/vector/v1", 32)
	if err != nil {
		return sealer{}, fmt.Errorf("deriving the memory key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return sealer{}, fmt.Errorf("deriving the memory key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("deriving the memory key: %w", err)
	}
	return sealer{aead}, nil
}

func (s sealer) seal(index uint64, vector []float32) []byte {
	if len(vector) == 0 {
		return nil
	}
	plain := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		plain = binary.LittleEndian.AppendUint32(plain, math.Float32bits(x))
	}
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce)
	return s.aead.Seal(nonce, nonce, plain, binary.BigEndian.AppendUint64(nil, index))
}

// open returns nil for a vector that is missing or was changed: the item is then found by its words only.
func (s sealer) open(index uint64, sealed []byte) []float32 {
	if len(sealed) < s.aead.NonceSize() {
		return nil
	}
	plain, err := s.aead.Open(nil, sealed[:s.aead.NonceSize()], sealed[s.aead.NonceSize():], binary.BigEndian.AppendUint64(nil, index))
	if err != nil || len(plain)%4 != 0 {
		return nil
	}
	vector := make([]float32, len(plain)/4)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(plain[4*i:]))
	}
	return vector
}
