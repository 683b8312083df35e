package dcap

import (
	"bytes"
	"encoding/hex"
	"slices"
)

// crl is a version 2 certificate revocation list of Intel's profile.
type crl struct {
	tbs        []byte
	issuer     []byte // raw DER name
	thisUpdate int64  // Unix seconds
	nextUpdate int64
	number     []byte   // CRL number, magnitude
	revoked    [][]byte // serial magnitudes
	signature  []byte
	present    extensionSet
}

// decodeCRL finds the DER in what collateral carries: hex of DER (PCCS, dcap-qvl), PEM (PCS) or DER itself.
func decodeCRL(text string) ([]byte, bool) {
	trimmed := bytes.Trim([]byte(text), " \t\r\n\x00")
	if len(trimmed) == 0 {
		return nil, false
	}
	if trimmed[0] == '-' {
		blocks, ok := pemBlocks(trimmed, pemCRL, 1)
		if !ok || len(blocks) != 1 {
			return nil, false
		}
		return blocks[0], true
	}
	if text[0] == tagSequence && len(text) > 1 && text[1]&0x80 != 0 { // hex digits have no high bit
		return []byte(text), true
	}
	n, err := hex.Decode(trimmed, trimmed)
	return trimmed[:n], err == nil
}

func parseCRL(text string) (*crl, bool) {
	raw, ok := decodeCRL(text)
	if !ok {
		return nil, false
	}
	tbs, signature, ok := signedParts(raw)
	if !ok {
		return nil, false
	}
	c := &crl{tbs: tbs, signature: signature}
	inner, _ := tbs.next(tagSequence)
	return c, c.parseTBS(inner)
}

// parseTBS reads TBSCertList (RFC 5280 section 5.1). nextUpdate, CRL number and authority key identifier are mandatory.
func (c *crl) parseTBS(d der) bool {
	if v, ok := d.small(tagInteger, 1); !ok || v != 1 || !ecdsaAlgorithm(&d) {
		return false
	}
	var ok bool
	if c.issuer, ok = d.raw(tagSequence); !ok {
		return false
	}
	if c.thisUpdate, ok = d.time(); !ok {
		return false
	}
	if c.nextUpdate, ok = d.time(); !ok {
		return false
	}
	if len(d) > 0 && d[0] == tagSequence {
		list, ok := d.next(tagSequence)
		if !ok || !c.parseRevoked(list) {
			return false
		}
	}
	wrapper, ok := d.next(tagContext0)
	if !ok || len(d) > 0 {
		return false
	}
	list, ok := wrapper.next(tagSequence)
	return ok && len(wrapper) == 0 && parseExtensions(list, c.extension) &&
		c.present == extAKI|extCRLNumber
}

func (c *crl) parseRevoked(list der) bool {
	c.revoked = make([][]byte, 0, 64)
	for len(list) > 0 {
		entry, ok := list.next(tagSequence)
		if !ok {
			return false
		}
		serial, ok := entry.integer(tagInteger)
		if !ok {
			return false
		}
		if _, ok := entry.time(); !ok {
			return false
		}
		if len(entry) > 0 { // reason code and the like; what is critical would change the meaning of the entry
			extensions, ok := entry.next(tagSequence)
			if !ok || len(entry) > 0 || !parseExtensions(extensions, entryExtension) {
				return false
			}
		}
		c.revoked = append(c.revoked, serial)
	}
	return true
}

func entryExtension(_, _ []byte, critical bool) bool { return !critical }

func (c *crl) extension(oid, value []byte, critical bool) bool {
	var bit extensionSet
	switch {
	case bytes.Equal(oid, []byte{0x55, 0x1d, 35}):
		bit = extAKI
	case bytes.Equal(oid, []byte{0x55, 0x1d, 20}):
		bit = extCRLNumber
		d := der(value)
		number, ok := d.integer(tagInteger)
		if !ok || len(d) > 0 {
			return false
		}
		c.number = number
	default:
		return !critical // delta lists and partitioned lists announce themselves critically
	}
	if c.present&bit != 0 {
		return false
	}
	c.present |= bit
	return true
}

// signedBy says whether the issuer signed the list: names agree and the issuer may sign lists.
func (c *crl) signedBy(issuer *certificate) bool {
	return issuer.ca && issuer.keyUsage&0x02 != 0 && verifyDER(issuer.key, c.tbs, c.signature)
}

func (c *crl) lists(serial []byte) bool {
	return slices.ContainsFunc(c.revoked, func(s []byte) bool { return bytes.Equal(s, serial) })
}
