package tlog

import (
	"crypto/ed25519"
	"errors"
	"fmt"
)

// COSE receipts (RFC 9942) over the same tree: vds 1 is RFC 9162's. A leaf is a Signed Statement as it stands; attached to it in
// the unprotected header, a receipt makes it a Transparent Statement. The tree hashes the leaf without it.
const (
	receiptHead  = "\xa4\x01\x27\x04\x48" // {1: -8 (EdDSA), 4: 8 bytes
	receiptIss   = "\x0f\xa1\x01"         // 15: {1: iss}
	receiptVDS   = "\x19\x01\x8b\x01"     // 395: 1 (RFC9162_SHA256)}
	receiptProof = "\xa1\x19\x01\x8c\xa1\x20\x81"
	receiptsKey  = "\xa1\x19\x01\x8a\x81" // {394: [
	maxReceipt   = 4096
)

// SignCOSEReceipt returns the COSE receipt of one leaf in the tree of this size and root, signed by the log key.
func SignCOSEReceipt(origin string, logKey ed25519.PrivateKey, index, size uint64, path []Hash, root Hash) ([]byte, error) {
	if len(logKey) != ed25519.PrivateKeySize || index >= size || len(path) > MaxProof {
		return nil, errors.New("COSE receipt: no such proof or key")
	}
	id := KeyIDOf(logKey.Public().(ed25519.PublicKey))
	protected := append(append([]byte(receiptHead), id[:]...), receiptIss...)
	protected = append(appendText(protected, origin), receiptVDS...)
	proof := appendUint(appendUint([]byte{0x83}, size), index)
	proof = appendHead(proof, majorArray, uint64(len(path)))
	for _, h := range path {
		proof = appendBytes(proof, h[:])
	}
	b := appendBytes([]byte{0xd2, 0x84}, protected)
	b = append(appendBytes(append(b, receiptProof...), proof), cborNull)
	return appendBytes(b, ed25519.Sign(logKey, appendSigned(nil, protected, root[:]))), nil
}

// COSEReceipt is a parsed receipt.
type COSEReceipt struct {
	Origin      string
	KeyID       KeyID
	Index, Size uint64
	Path        []Hash
	protected   []byte
	sig         [64]byte
}

// ParseCOSEReceipt reads a receipt of the shape that SignCOSEReceipt makes.
func ParseCOSEReceipt(b []byte) (*COSEReceipt, error) {
	r := new(COSEReceipt)
	c := cursor{what: "COSE receipt", b: b}
	c.literal("\xd2\x84")
	r.protected = c.bytes(512)
	c.literal(receiptProof)
	proof := c.bytes(maxReceipt)
	c.literal("\xf6")
	c.fixed(r.sig[:])
	if err := c.end(); err != nil {
		return nil, err
	}
	h := cursor{what: "COSE receipt header", b: r.protected}
	h.literal(receiptHead)
	copy(r.KeyID[:], h.raw(8))
	h.literal(receiptIss)
	r.Origin = string(h.text(300))
	h.literal(receiptVDS)
	if err := h.end(); err != nil {
		return nil, err
	}
	return r, r.parseProof(proof)
}

func (r *COSEReceipt) parseProof(b []byte) error {
	c := cursor{what: "COSE receipt proof", b: b}
	c.literal("\x83")
	r.Size, r.Index = c.uint(MaxCount), c.uint(MaxCount)
	n := c.head(majorArray)
	if n > MaxProof {
		c.fail("%d hashes, the limit is %d", n, MaxProof)
	}
	for i := uint64(0); i < n && c.err == nil; i++ {
		r.Path = append(r.Path, c.hash())
	}
	return c.end()
}

// Verify returns nil if the log key signed the root to which the receipt leads from these leaf bytes.
func (r *COSEReceipt) Verify(leaf []byte, logKey ed25519.PublicKey) error {
	root, err := rootFromInclusion(RecordHash(leaf), r.Index, r.Size, r.Path)
	if err != nil {
		return err
	}
	if len(logKey) != ed25519.PublicKeySize || KeyIDOf(logKey) != r.KeyID ||
		!ed25519.Verify(logKey, appendSigned(nil, r.protected, root[:]), r.sig[:]) {
		return fmt.Errorf("COSE receipt: not signed by the key of log %q", clip(r.Origin))
	}
	return nil
}

// AttachReceipt returns the Transparent Statement: the leaf with {394: [receipt]} as its unprotected header.
func AttachReceipt(leaf, receipt []byte) ([]byte, error) {
	at := len(leafHead) + 1 + protectedLen
	if _, err := DecodeLeaf(leaf); err != nil {
		return nil, err
	}
	b := append([]byte{}, leaf[:at]...)
	b = appendBytes(append(b, receiptsKey...), receipt)
	return append(b, leaf[at+1:]...), nil
}

// DetachReceipt is the inverse of AttachReceipt: the leaf that the tree holds, and the receipt.
func DetachReceipt(statement []byte) (leaf, receipt []byte, err error) {
	c := cursor{what: "transparent statement", b: statement}
	head := c.raw(uint64(len(leafHead) + 1 + protectedLen))
	c.literal(receiptsKey)
	receipt = c.bytes(maxReceipt)
	if c.err != nil {
		return nil, nil, c.err
	}
	leaf = append(append(append(leaf, head...), 0xa0), statement[c.off:]...)
	_, err = DecodeLeaf(leaf)
	return leaf, receipt, err
}
