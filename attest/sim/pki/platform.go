package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Platform is what a PCK certificate says about a machine (SGX extension, OID 1.2.840.113741.1.13.1).
type Platform struct {
	PPID       [16]byte
	Components [16]byte // SGX TCB component SVNs
	PCESVN     uint16
	CPUSVN     [16]byte
	PCEID      [2]byte
	FMSPC      [6]byte
	SGXType    int // 0 standard, 1 scalable, 2 scalable with integrity
	InstanceID [16]byte
	Dynamic    bool // dynamic platform
	CachedKeys bool
	SMT        bool
	Skip       map[int]bool // elements 1..7 to leave out: for tests
}

// DefaultPlatform is the machine that the simulator pretends to be. Its FMSPC is nobody's.
func DefaultPlatform() Platform {
	p := Platform{
		Components: [16]byte{3, 3, 2, 2, 4, 1, 0, 5}, PCESVN: 13, FMSPC: [6]byte{0x7e, 0xa9, 0x07, 0, 0, 0},
		SGXType: 1, SMT: true,
	}
	p.CPUSVN = p.Components
	copy(p.PPID[:], UserData)
	copy(p.InstanceID[:], UserData)
	return p
}

var sgxOID = asn1.ObjectIdentifier{1, 2, 840, 113741, 1, 13, 1}

func sgx(suffix ...int) asn1.ObjectIdentifier {
	return append(append(asn1.ObjectIdentifier{}, sgxOID...), suffix...)
}

// Extension encodes the platform as Intel does: seven elements in ascending order.
func (p Platform) Extension() pkix.Extension {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		element := func(n int, value func(b *cryptobyte.Builder)) {
			if !p.Skip[n] {
				pair(b, value, n)
			}
		}
		element(1, octets(p.PPID[:]))
		element(2, p.tcb)
		element(3, octets(p.PCEID[:]))
		element(4, octets(p.FMSPC[:]))
		element(5, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(p.SGXType)) })
		element(6, octets(p.InstanceID[:]))
		element(7, p.configuration)
	})
	return pkix.Extension{Id: sgxOID, Value: b.BytesOrPanic()}
}

func (p Platform) tcb(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i, svn := range p.Components {
			pair(b, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(svn)) }, 2, i+1)
		}
		pair(b, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(p.PCESVN)) }, 2, 17)
		pair(b, octets(p.CPUSVN[:]), 2, 18)
	})
}

func (p Platform) configuration(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i, v := range []bool{p.Dynamic, p.CachedKeys, p.SMT} {
			pair(b, func(b *cryptobyte.Builder) { b.AddASN1Boolean(v) }, 7, i+1)
		}
	})
}

func pair(b *cryptobyte.Builder, value func(b *cryptobyte.Builder), suffix ...int) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(sgx(suffix...))
		value(b)
	})
}

func octets(v []byte) func(b *cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) { b.AddASN1OctetString(v) }
}
