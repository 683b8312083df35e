package dcap

import "bytes"

// PCK is what a PCK certificate says about its platform (Intel SGX PCK Certificate and CRL Profile Specification,
// section 1.3.5: extension 1.2.840.113741.1.13.1).
type PCK struct {
	PPID       [16]byte
	Components [16]byte // SGX TCB component SVNs: these decide, not CPUSVN
	PCESVN     uint16
	CPUSVN     [16]byte
	PCEID      [2]byte
	FMSPC      [6]byte
	SGXType    uint8 // 0 standard, 1 scalable, 2 scalable with integrity

	// Only under the platform CA; HasConfiguration says whether the flags were there.
	InstanceID       [16]byte
	HasConfiguration bool
	DynamicPlatform  bool
	CachedKeys       bool
	SMT              bool
}

// parsePCK reads the SGX extension. Elements may come in any order, each once: the
// first five, or all seven.
func parsePCK(value []byte) (*PCK, bool) {
	p, seen := &PCK{}, uint32(0)
	d := der(value)
	list, ok := d.next(tagSequence)
	if !ok || len(d) > 0 {
		return nil, false
	}
	ok = eachSGX(list, nil, 7, &seen, func(n int, v *der) bool {
		switch n {
		case 1:
			return octets(v, p.PPID[:])
		case 2:
			return p.parseTCB(v)
		case 3:
			return octets(v, p.PCEID[:])
		case 4:
			return octets(v, p.FMSPC[:])
		case 5:
			t, ok := v.small(tagEnumerated, 2)
			p.SGXType = uint8(t)
			return ok
		case 6:
			return octets(v, p.InstanceID[:])
		}
		return p.parseConfiguration(v)
	})
	return p, ok && (seen == 0x3e || seen == 0xfe) // five elements under the processor CA, seven under the platform CA
}

func (p *PCK) parseTCB(v *der) bool {
	list, ok := v.next(tagSequence)
	if !ok {
		return false
	}
	seen := uint32(0)
	ok = eachSGX(list, []byte{2}, 18, &seen, func(n int, v *der) bool {
		switch n {
		case 17:
			svn, ok := v.small(tagInteger, 65535)
			p.PCESVN = uint16(svn)
			return ok
		case 18:
			return octets(v, p.CPUSVN[:])
		}
		svn, ok := v.small(tagInteger, 255)
		p.Components[n-1] = byte(svn)
		return ok
	})
	return ok && seen == 0x7fffe
}

func (p *PCK) parseConfiguration(v *der) bool {
	list, ok := v.next(tagSequence)
	if !ok {
		return false
	}
	p.HasConfiguration = true
	seen := uint32(0)
	flags := [4]*bool{1: &p.DynamicPlatform, 2: &p.CachedKeys, 3: &p.SMT}
	return eachSGX(list, []byte{7}, 3, &seen, func(n int, v *der) bool {
		b, ok := v.boolean()
		*flags[n] = b
		return ok
	})
}

// eachSGX walks SEQUENCE{OID, value} elements whose OIDs are oidSGX, prefix and one number from 1 to last; seen gets
// a bit per number. Anything else, and any number twice, is refused.
func eachSGX(list der, prefix []byte, last int, seen *uint32, take func(n int, v *der) bool) bool {
	head := len(oidSGX) + len(prefix)
	for len(list) > 0 {
		pair, ok := list.next(tagSequence)
		if !ok {
			return false
		}
		oid, ok := pair.next(tagOID)
		if !ok || len(oid) != head+1 || !bytes.HasPrefix(oid, oidSGX) || !bytes.Equal(oid[len(oidSGX):head], prefix) {
			return false
		}
		n := int(oid[head])
		if n < 1 || n > last || *seen&(1<<n) != 0 {
			return false
		}
		*seen |= 1 << n
		if !take(n, &pair) || len(pair) > 0 {
			return false
		}
	}
	return true
}

func octets(v *der, into []byte) bool {
	b, ok := v.next(tagOctets)
	return ok && copy(into, b) == len(into) && len(b) == len(into)
}
