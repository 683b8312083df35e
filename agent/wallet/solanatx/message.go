// Package solanatx builds legacy Solana messages that move lamports, and the transaction around them. It does no I/O and
// holds no key.
package solanatx

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mr-tron/base58"
)

// Key is an Ed25519 public key or a blockhash, 32 bytes.
type Key [32]byte

// ParseKey reads base58.
func ParseKey(text string) (k Key, err error) {
	b, err := base58.Decode(text)
	if err != nil || len(b) != len(k) {
		return k, errors.New("a Solana address is the base58 of 32 bytes")
	}
	return Key(b), nil
}

// systemTransfer is the System Program's instruction 2: u32 little-endian 2 ‖ u64 little-endian lamports.
const systemTransfer = 2

// Transfer is the legacy message that sends lamports: header (1 signature, 0 read-only signed, 1 read-only unsigned), the
// accounts payer, payee and System Program, the recent blockhash, one instruction. These are the exact bytes to sign.
func Transfer(from, to Key, lamports uint64, recent Key) ([]byte, error) {
	if from == to {
		return nil, errors.New("a transfer to itself is refused")
	}
	if to == (Key{}) {
		return nil, errors.New("the System Program is no payee")
	}
	m := []byte{1, 0, 1}
	m = compact(m, 3)
	m = append(append(append(m, from[:]...), to[:]...), make([]byte, 32)...)
	m = append(m, recent[:]...)
	m = compact(m, 1)
	m = append(m, 2) // program: account 2
	m = append(compact(m, 2), 0, 1)
	m = compact(m, 12)
	m = binary.LittleEndian.AppendUint32(m, systemTransfer)
	return binary.LittleEndian.AppendUint64(m, lamports), nil
}

// Transaction puts one signature before its message.
func Transaction(signature, message []byte) ([]byte, error) {
	if len(signature) != 64 {
		return nil, fmt.Errorf("a signature has 64 bytes, not %d", len(signature))
	}
	return append(append(compact(nil, 1), signature...), message...), nil
}

// compact is Solana's compact-u16: seven bits a byte, low first.
func compact(b []byte, n uint16) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}
