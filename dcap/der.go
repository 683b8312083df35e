package dcap

import "time"

// DER tags (X.690 section 8) that certificates and revocation lists use.
const (
	tagBool       = 0x01
	tagInteger    = 0x02
	tagBits       = 0x03
	tagOctets     = 0x04
	tagOID        = 0x06
	tagEnumerated = 0x0a
	tagUTF8       = 0x0c
	tagPrintable  = 0x13
	tagUTCTime    = 0x17
	tagGenTime    = 0x18
	tagSequence   = 0x30
	tagSet        = 0x31
	tagContext0   = 0xa0
	tagContext3   = 0xa3
)

// der is a cursor over DER bytes. It accepts definite, minimal lengths and one-byte tags only; BER is refused.
type der []byte

// any reads the next element whatever its tag: full is the element with its header, body its content.
func (d *der) any() (tag byte, full, body der, ok bool) {
	s := *d
	if len(s) < 2 || s[0]&0x1f == 0x1f {
		return 0, nil, nil, false
	}
	head, n := 2, int(s[1])
	if n >= 0x80 {
		octets := n & 0x7f
		if octets == 0 || octets > 3 || len(s) < 2+octets || s[2] == 0 {
			return 0, nil, nil, false
		}
		n = 0
		for _, b := range s[2 : 2+octets] {
			n = n<<8 | int(b)
		}
		if n < 0x80 {
			return 0, nil, nil, false
		}
		head += octets
	}
	if len(s)-head < n {
		return 0, nil, nil, false
	}
	*d = s[head+n:]
	return s[0], s[:head+n], s[head : head+n], true
}

// next reads the next element, which must have the tag.
func (d *der) next(tag byte) (body der, ok bool) {
	if len(*d) == 0 || (*d)[0] != tag {
		return nil, false
	}
	_, _, body, ok = d.any()
	return body, ok
}

// raw is next, with the element's header.
func (d *der) raw(tag byte) (full der, ok bool) {
	if len(*d) == 0 || (*d)[0] != tag {
		return nil, false
	}
	_, full, _, ok = d.any()
	return full, ok
}

// integer reads a minimal, non-negative INTEGER or ENUMERATED and returns its magnitude without a leading zero octet.
func (d *der) integer(tag byte) (magnitude []byte, ok bool) {
	b, ok := d.next(tag)
	if !ok || len(b) == 0 || b[0]&0x80 != 0 || len(b) > 1 && b[0] == 0 && b[1]&0x80 == 0 {
		return nil, false
	}
	if len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return b, true
}

// small reads a non-negative INTEGER or ENUMERATED not above limit.
func (d *der) small(tag byte, limit uint32) (uint32, bool) {
	m, ok := d.integer(tag)
	if !ok || len(m) > 4 {
		return 0, false
	}
	var v uint64
	for _, b := range m {
		v = v<<8 | uint64(b)
	}
	return uint32(v), v <= uint64(limit)
}

// boolean reads a DER BOOLEAN: 00 or FF.
func (d *der) boolean() (v, ok bool) {
	b, ok := d.next(tagBool)
	if !ok || len(b) != 1 || b[0] != 0 && b[0] != 0xff {
		return false, false
	}
	return b[0] == 0xff, true
}

// bits reads a BIT STRING of whole octets.
func (d *der) bits() ([]byte, bool) {
	b, ok := d.next(tagBits)
	if !ok || len(b) < 1 || b[0] != 0 {
		return nil, false
	}
	return b[1:], true
}

// time reads a UTCTime or GeneralizedTime in Zulu with seconds (RFC 5280 section 4.1.2.5) as Unix seconds.
func (d *der) time() (int64, bool) {
	tag, _, b, ok := d.any()
	if !ok {
		return 0, false
	}
	switch {
	case tag == tagUTCTime && len(b) == 13:
		year, ok := digits(b[:2])
		if year < 50 {
			year += 100
		}
		return zulu(1900+year, b[2:], ok)
	case tag == tagGenTime && len(b) == 15:
		year, ok := digits(b[:4])
		return zulu(year, b[4:], ok)
	}
	return 0, false
}

// zulu reads MMDDHHMMSSZ.
func zulu(year int, b []byte, ok bool) (int64, bool) {
	if !ok || len(b) != 11 || b[10] != 'Z' {
		return 0, false
	}
	var v [5]int
	for i := range v {
		if v[i], ok = digits(b[2*i : 2*i+2]); !ok {
			return 0, false
		}
	}
	return unix(year, v[0], v[1], v[2], v[3], v[4])
}

// unix converts a calendar date in UTC, refusing what does not exist, leap seconds included.
func unix(year, month, day, hour, minute, second int) (int64, bool) {
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t.Unix(), t.Day() == day
}

func digits(b []byte) (int, bool) {
	v := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}
