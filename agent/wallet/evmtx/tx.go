package evmtx

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/teapot-tee/teapot/keys"
)

// Transaction is a type 2 transaction (EIP-1559) that sends ether. Amounts are in wei.
type Transaction struct {
	ChainID, Nonce, Gas uint64
	MaxPriorityFee      *big.Int // per gas
	MaxFee              *big.Int // per gas
	To                  [20]byte
	Value               *big.Int
	Data                []byte
}

const typeEIP1559 = 2

func (t Transaction) fields() []item {
	return []item{
		uintItem(t.ChainID), uintItem(t.Nonce), bigItem(t.MaxPriorityFee), bigItem(t.MaxFee), uintItem(t.Gas),
		bytesItem(t.To[:]), bigItem(t.Value), bytesItem(t.Data), listItem(),
	}
}

// Digest is what is signed: keccak-256(0x02 ‖ rlp([chain id, nonce, priority fee, fee, gas, to, value, data, []])).
func (t Transaction) Digest() [32]byte {
	return keys.Keccak256([]byte{typeEIP1559}, listItem(t.fields()...).encode())
}

// Signed returns the bytes to send. rsv is r ‖ s ‖ v with v 0 or 1.
func (t Transaction) Signed(rsv [65]byte) ([]byte, error) {
	if rsv[64] > 1 {
		return nil, fmt.Errorf("v is %d, want 0 or 1", rsv[64])
	}
	fields := append(t.fields(), uintItem(uint64(rsv[64])), bigItem(new(big.Int).SetBytes(rsv[:32])), bigItem(new(big.Int).SetBytes(rsv[32:64])))
	return append([]byte{typeEIP1559}, listItem(fields...).encode()...), nil
}

// Hash is the transaction's id: keccak-256 of the signed bytes.
func Hash(signed []byte) string {
	sum := keys.Keccak256(signed)
	return "0x" + hex.EncodeToString(sum[:])
}

// ParseAddress reads 0x and 40 hex digits. Mixed case must be the EIP-55 checksum: a typing error must not become a payee.
func ParseAddress(text string) (a [20]byte, err error) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok || len(digits) != 40 {
		return a, errors.New("an EVM address is 0x and 40 hex digits")
	}
	if _, err := hex.Decode(a[:], []byte(digits)); err != nil {
		return a, errors.New("an EVM address is 0x and 40 hex digits")
	}
	lower, upper := strings.ToLower(digits), strings.ToUpper(digits)
	if digits != lower && digits != upper && "0x"+digits != checksum(lower) {
		return a, errors.New("the address's capital letters are not its checksum (EIP-55): a letter is wrong")
	}
	return a, nil
}

// checksum is EIP-55: letters whose nibble in keccak-256(lower-case digits) is 8 or more are capital.
func checksum(lower string) string {
	sum := keys.Keccak256([]byte(lower))
	nibbles := hex.EncodeToString(sum[:])
	out := []byte(lower)
	for i, c := range out {
		if nibbles[i] >= '8' && c >= 'a' {
			out[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(out)
}
