package dcap

import (
	"bytes"
	"crypto/ecdsa"
)

// Common names of Intel's certificates (Intel SGX PCK Certificate and CRL Profile Specification).
const (
	rootCN        = "Intel SGX Root CA"
	platformCACN  = "Intel SGX PCK Platform CA"
	processorCACN = "Intel SGX PCK Processor CA"
	pckCN         = "Intel SGX PCK Certificate"
	tcbSignerCN   = "Intel SGX TCB Signing"
)

// certificate is an X.509 certificate of Intel's profile: version 3, ECDSA P-256 with SHA-256. Reading it proves
// nothing; issuedBy does.
type certificate struct {
	raw, tbs        []byte
	issuer, subject []byte // raw DER names
	cn              string // of the subject
	serial          []byte // magnitude
	notBefore       int64  // Unix seconds, inclusive
	notAfter        int64  // Unix seconds, inclusive
	key             *ecdsa.PublicKey
	spki            []byte // raw SubjectPublicKeyInfo
	signature       []byte // DER
	present         extensionSet
	ca              bool
	keyUsage        byte   // first octet: 0x80 digitalSignature … 0x04 keyCertSign, 0x02 cRLSign
	sgx             []byte // content of the SGX extension
}

// extensionSet has a bit per extension that Intel's profile knows.
type extensionSet uint8

const (
	extAKI extensionSet = 1 << iota
	extSKI
	extCRLDP
	extKeyUsage
	extBasicConstraints
	extSGX
	extCRLNumber

	// extProfile is what every certificate below the root carries.
	extProfile = extAKI | extSKI | extCRLDP | extKeyUsage | extBasicConstraints
)

var (
	oidECDSASHA256 = []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}
	oidP256Key     = []byte{0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	oidSGX         = []byte{0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01}
	oidCommonName  = []byte{0x55, 0x04, 0x03}
)

// parseCertificate reads one certificate; ok is false for anything outside the profile.
func parseCertificate(raw []byte) (*certificate, bool) {
	tbs, signature, ok := signedParts(raw)
	if !ok {
		return nil, false
	}
	c := &certificate{raw: raw, tbs: tbs, signature: signature}
	inner, _ := tbs.next(tagSequence)
	return c, c.parseTBS(inner)
}

// signedParts splits what certificates and revocation lists are (RFC 5280 sections 4.1 and 5.1): the exact bytes that are signed, and the
// signature over them.
func signedParts(raw []byte) (tbs der, signature []byte, ok bool) {
	outer := der(raw)
	body, ok := outer.next(tagSequence)
	if !ok || len(outer) > 0 {
		return nil, nil, false
	}
	tbs, ok = body.raw(tagSequence)
	if !ok || !ecdsaAlgorithm(&body) {
		return nil, nil, false
	}
	signature, ok = body.bits()
	return tbs, signature, ok && len(body) == 0
}

func (c *certificate) parseTBS(d der) bool {
	version, ok := d.next(tagContext0)
	if !ok {
		return false
	}
	if v, ok := version.small(tagInteger, 2); !ok || v != 2 || len(version) > 0 {
		return false
	}
	if c.serial, ok = d.integer(tagInteger); !ok || !ecdsaAlgorithm(&d) {
		return false
	}
	if c.issuer, ok = d.raw(tagSequence); !ok || !c.parseValidity(&d) {
		return false
	}
	if c.subject, ok = d.raw(tagSequence); !ok {
		return false
	}
	if c.cn, ok = commonName(c.subject); !ok || !c.parseKey(&d) {
		return false
	}
	wrapper, ok := d.next(tagContext3)
	if !ok || len(d) > 0 {
		return false
	}
	list, ok := wrapper.next(tagSequence)
	return ok && len(wrapper) == 0 && parseExtensions(list, c.extension)
}

func (c *certificate) parseValidity(d *der) bool {
	v, ok := d.next(tagSequence)
	if !ok {
		return false
	}
	if c.notBefore, ok = v.time(); !ok {
		return false
	}
	c.notAfter, ok = v.time()
	return ok && len(v) == 0
}

func (c *certificate) parseKey(d *der) bool {
	full, ok := d.raw(tagSequence)
	if !ok {
		return false
	}
	c.spki = full
	body, _ := full.next(tagSequence)
	algorithm, ok := body.raw(tagSequence)
	if !ok || !bytes.Equal(algorithm, oidP256Key) {
		return false
	}
	point, ok := body.bits()
	if !ok || len(body) > 0 || len(point) != 65 || point[0] != 4 {
		return false
	}
	c.key, ok = publicKey(point[1:])
	return ok
}

// extension takes one extension of the certificate. A critical one that nobody knows is refused.
func (c *certificate) extension(oid, value []byte, critical bool) bool {
	bit := certificateExtension(oid)
	if bit == 0 {
		return !critical
	}
	if c.present&bit != 0 {
		return false
	}
	c.present |= bit
	d := der(value)
	switch bit {
	case extBasicConstraints:
		return c.parseBasicConstraints(d)
	case extKeyUsage:
		usage, ok := d.next(tagBits)
		if !ok || len(d) > 0 || len(usage) < 2 || usage[0] > 7 {
			return false
		}
		c.keyUsage = usage[1]
	case extSGX:
		c.sgx = value
	}
	return true
}

func certificateExtension(oid []byte) extensionSet {
	if bytes.Equal(oid, oidSGX) {
		return extSGX
	}
	if len(oid) != 3 || oid[0] != 0x55 || oid[1] != 0x1d { // 2.5.29
		return 0
	}
	switch oid[2] {
	case 14:
		return extSKI
	case 15:
		return extKeyUsage
	case 19:
		return extBasicConstraints
	case 31:
		return extCRLDP
	case 35:
		return extAKI
	}
	return 0
}

func (c *certificate) parseBasicConstraints(d der) bool {
	body, ok := d.next(tagSequence)
	if !ok || len(d) > 0 {
		return false
	}
	if len(body) > 0 && body[0] == tagBool {
		if c.ca, ok = body.boolean(); !ok {
			return false
		}
	}
	if len(body) > 0 { // path length: chains have fixed positions, so the number decides nothing
		if _, ok := body.small(tagInteger, 255); !ok {
			return false
		}
	}
	return len(body) == 0
}

// issuedBy says whether the parent signed the certificate: names chain, the parent is a CA and may sign certificates.
func (c *certificate) issuedBy(parent *certificate) bool {
	return bytes.Equal(c.issuer, parent.subject) && parent.ca && parent.keyUsage&0x04 != 0 &&
		verifyDER(parent.key, c.tbs, c.signature)
}

// ecdsaAlgorithm reads the AlgorithmIdentifier ecdsa-with-SHA256 without parameters (RFC 5758 section 3.2).
func ecdsaAlgorithm(d *der) bool {
	algorithm, ok := d.next(tagSequence)
	if !ok {
		return false
	}
	oid, ok := algorithm.next(tagOID)
	return ok && len(algorithm) == 0 && bytes.Equal(oid, oidECDSASHA256)
}

// commonName returns the only CN of a raw name.
func commonName(name der) (string, bool) {
	rdns, ok := name.next(tagSequence)
	cn, found := "", false
	for ok && len(rdns) > 0 {
		set, good := rdns.next(tagSet)
		if !good {
			return "", false
		}
		for len(set) > 0 {
			pair, good := set.next(tagSequence)
			if !good {
				return "", false
			}
			oid, good := pair.next(tagOID)
			tag, _, value, any := pair.any()
			if !good || !any || len(pair) > 0 {
				return "", false
			}
			if !bytes.Equal(oid, oidCommonName) {
				continue
			}
			if found || tag != tagUTF8 && tag != tagPrintable {
				return "", false
			}
			cn, found = string(value), true
		}
	}
	return cn, ok
}

// parseExtensions walks a list of extensions.
func parseExtensions(list der, take func(oid, value []byte, critical bool) bool) bool {
	for len(list) > 0 {
		e, ok := list.next(tagSequence)
		if !ok {
			return false
		}
		oid, ok := e.next(tagOID)
		if !ok {
			return false
		}
		critical := false
		if len(e) > 0 && e[0] == tagBool {
			if critical, ok = e.boolean(); !ok {
				return false
			}
		}
		value, ok := e.next(tagOctets)
		if !ok || len(e) > 0 || !take(oid, value, critical) {
			return false
		}
	}
	return true
}
