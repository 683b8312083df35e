// Package evmtx builds EIP-1559 transactions: recursive length prefix, the digest to sign, the signed bytes. It does no I/O
// and holds no key.
package evmtx

import "math/big"

// item is an RLP value: a byte string or a list (Ethereum Yellow Paper, appendix B).
type item struct {
	bytes []byte
	list  []item
	isSet bool // a list, even an empty one
}

func bytesItem(b []byte) item { return item{bytes: b} }

func uintItem(n uint64) item { return bytesItem(new(big.Int).SetUint64(n).Bytes()) }

func bigItem(n *big.Int) item { return bytesItem(n.Bytes()) }

func listItem(items ...item) item { return item{list: items, isSet: true} }

func (i item) encode() []byte {
	if i.isSet {
		var body []byte
		for _, x := range i.list {
			body = append(body, x.encode()...)
		}
		return append(head(0xc0, len(body)), body...)
	}
	if len(i.bytes) == 1 && i.bytes[0] < 0x80 {
		return i.bytes
	}
	return append(head(0x80, len(i.bytes)), i.bytes...)
}

// head is the prefix for n bytes: offset+n, or offset+55+length of n, then n big-endian.
func head(offset byte, n int) []byte {
	if n < 56 {
		return []byte{offset + byte(n)}
	}
	size := big.NewInt(int64(n)).Bytes()
	return append([]byte{offset + 55 + byte(len(size))}, size...)
}
