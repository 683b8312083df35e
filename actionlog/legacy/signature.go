// Package legacy audits databases of Eliza's plugin-tee-log: what each row's signature really covers, and which rows are
// worth nothing. It exists to tell people what they have, not to accept it: no row here ever proves its content.
//
// It trusts nothing in the file; keys are what the same file claims they are.
package legacy

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Row is one row of table tee_logs.
type Row struct {
	ID, Agent, Room, User, Type, Content string
	Timestamp                            string // as it stands in the table
	Signature                            string // "0x" and the hex of a DER signature
}

// message is what the plugin passes to elliptic's sign: fields joined by "|", which no field is kept from holding.
func (r *Row) message() string {
	return strings.Join([]string{r.Agent, r.Room, r.User, r.Type, r.Content, r.Timestamp}, "|")
}

// signed returns the integer that elliptic 6 really signs when it is given a text, and the characters that go into it.
// The text is read as hexadecimal: white space is dropped, every other UTF-16 unit becomes four bits, and the number is
// shifted right until "256 bits by the length of the text" remain: 64 digits, less one for an odd length, less one for
// each white space. Nothing is hashed. facts: bn.js 4 parseHex, elliptic 6.6.1 _truncateToN.
func signed(message string) (z *big.Int, covered string) {
	units := utf16.Encode([]rune(message))
	dense := make([]uint16, 0, len(units))
	for _, u := range units {
		if !space(rune(u)) {
			dense = append(dense, u)
		}
	}
	negative := len(dense) > 0 && dense[0] == '-'
	digits := dense
	if negative {
		digits = dense[1:]
	}
	if drop := (len(units)+1)/2*2 - 64; drop > 0 {
		digits = digits[:max(0, len(digits)-drop)]
	}
	z = new(big.Int)
	for _, u := range digits {
		z.Lsh(z, 4)
		z.Or(z, big.NewInt(int64(fold(u))))
	}
	n := secp256k1.Params().N
	if negative {
		z.Neg(z)
	}
	return z.Mod(z, n), string(utf16.Decode(digits))
}

// space is JavaScript's \s.
func space(r rune) bool {
	return r != 0x85 && unicode.IsSpace(r) || r == 0xfeff
}

// fold is bn.js 4's reading of one "hexadecimal digit", whatever it is.
func fold(u uint16) uint16 {
	c := int(u) - '0'
	switch {
	case c >= 49 && c <= 54: // a to f
		return uint16(c - 49 + 10)
	case c >= 17 && c <= 22: // A to F
		return uint16(c - 17 + 10)
	}
	return uint16(c & 0xf)
}

// verifies says whether the signature fits the integer under a compressed public key in hex.
func verifies(z *big.Int, signature, publicKey string) (bool, error) {
	der, err := hex.DecodeString(strings.TrimPrefix(signature, "0x"))
	if err != nil {
		return false, errors.New("the signature is not hexadecimal")
	}
	sig, err := ecdsa.ParseDERSignature(der)
	if err != nil {
		return false, errors.New("the signature is not DER")
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(publicKey, "0x"))
	if err != nil {
		return false, errors.New("the public key is not hexadecimal")
	}
	key, err := secp256k1.ParsePubKey(raw)
	if err != nil {
		return false, errors.New("the public key is not a point")
	}
	return sig.Verify(z.FillBytes(make([]byte, 32)), key), nil
}
