package dcap

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// TEE is the kind of trusted execution environment.
type TEE uint32

// TEE types as the quote header spells them.
const (
	SGX TEE = 0x00
	TDX TEE = 0x81
)

// String returns "SGX" or "TDX".
func (t TEE) String() string {
	switch t {
	case SGX:
		return "SGX"
	case TDX:
		return "TDX"
	}
	return fmt.Sprintf("unknown TEE 0x%x", uint32(t))
}

// Body types of quote version 5; Parse sets them for versions 3 and 4 as well.
const (
	BodySGX          uint16 = 1 // enclave report, 384 bytes
	BodyTD10         uint16 = 2 // TD report 1.0, 584 bytes
	BodyTD15         uint16 = 3 // TD report 1.5, 648 bytes
	BodyTD15Extended uint16 = 4 // TD report 1.5 extended, 885 bytes
)

// intelQEVendor is the only QE vendor id that is accepted.
var intelQEVendor = [16]byte{0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07}

// Header is the first 48 bytes of a quote (Intel TDX DCAP Quoting Library API, A.3; SGX: A.4).
type Header struct {
	Version            uint16
	AttestationKeyType uint16 // 2: ECDSA P-256, the only one with collateral
	TEE                TEE    // version 3: four reserved zero bytes
	QESVN              uint16 // version 3; reserved in 4 and 5
	PCESVN             uint16 // version 3; reserved in 4 and 5
	QEVendor           [16]byte
	UserData           [20]byte // first 16 bytes: QE id
}

// Quote is a parsed quote. Nothing in it is verified.
type Quote struct {
	Header            Header
	BodyType          uint16
	Enclave           *EnclaveReport // SGX
	TD                *TDReport      // TDX
	Signature         [64]byte       // r||s over Signed
	AttestationKey    [64]byte       // x||y, P-256
	QEReport          EnclaveReport
	QEReportSignature [64]byte // r||s over the 384 raw bytes of the QE report
	QEAuthData        []byte   // any length
	CertType          uint16   // 1..5: certification data of the QE report
	CertData          []byte
	Trailing          int // bytes after the signature data: never interpreted

	signed   []byte // header (with version 5's body descriptor) and body
	qeReport []byte // the raw bytes of QEReport
}

// Signed is the exact range that the attestation key signed. It must not be changed.
func (q *Quote) Signed() []byte { return q.signed }

// ReportData is the 64 bytes that the attested code chose.
func (q *Quote) ReportData() [64]byte {
	if q.TD != nil {
		return q.TD.ReportData
	}
	return q.Enclave.ReportData
}

// Parse reads an SGX quote of version 3, 4 or 5 or a TDX quote of version 4 or 5. Bytes after the signature data
// occur in the wild (kernel buffers) and are counted and ignored; everything else must fit exactly.
func Parse(raw []byte) (*Quote, error) {
	q, f := parseQuote(slices.Clone(raw))
	if f != nil {
		return nil, fmt.Errorf("dcap: reading quote: %w", f)
	}
	return q, nil
}

// cursor reads from the front of bytes; after the first short read every read gives nothing and ok stays false.
type cursor struct {
	rest []byte
	ok   bool
}

func (c *cursor) take(n int) []byte {
	if !c.ok || n < 0 || len(c.rest) < n {
		c.ok = false
		return nil
	}
	out := c.rest[:n:n]
	c.rest = c.rest[n:]
	return out
}

func (c *cursor) u16() uint16 {
	if b := c.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// block takes as many bytes as a 32-bit length says.
func (c *cursor) block() []byte {
	n := c.u32()
	if uint64(n) > uint64(len(c.rest)) {
		c.ok = false
		return nil
	}
	return c.take(int(n))
}

func parseQuote(raw []byte) (*Quote, *fault) {
	q := &Quote{}
	c := &cursor{rest: raw, ok: true}
	if f := q.parseHeader(c); f != nil {
		return nil, f
	}
	if f := q.parseBody(c); f != nil {
		return nil, f
	}
	q.signed = raw[:len(raw)-len(c.rest)]
	data := c.block()
	if !c.ok {
		return nil, faultf(ClassQuoteFormat, "the signature data is longer than what is left of the quote")
	}
	q.Trailing = len(c.rest)
	return q, q.parseSignatureData(&cursor{rest: data, ok: true})
}

func (q *Quote) parseHeader(c *cursor) *fault {
	h := &q.Header
	h.Version, h.AttestationKeyType, h.TEE = c.u16(), c.u16(), TEE(c.u32())
	h.QESVN, h.PCESVN = c.u16(), c.u16()
	copy(h.QEVendor[:], c.take(16))
	copy(h.UserData[:], c.take(20))
	switch {
	case !c.ok:
		return faultf(ClassQuoteFormat, "shorter than the 48 bytes of a quote header")
	case h.Version < 3 || h.Version > 5:
		return faultf(ClassQuoteFormat, fmt.Sprintf("quote version %d; 3, 4 and 5 are known", h.Version))
	case h.AttestationKeyType != 2:
		return faultf(ClassQuoteFormat, fmt.Sprintf("attestation key type %d; only 2 (ECDSA P-256) has collateral", h.AttestationKeyType))
	case h.TEE != SGX && h.TEE != TDX:
		return faultf(ClassQuoteFormat, fmt.Sprintf("TEE type 0x%x; SGX is 0x0 and TDX 0x81", uint32(h.TEE)))
	case h.Version == 3 && h.TEE != SGX:
		return faultf(ClassQuoteFormat, "quote version 3 knows only SGX")
	case h.QEVendor != intelQEVendor:
		return faultf(ClassQuoteFormat, fmt.Sprintf("QE vendor %x is not Intel's", h.QEVendor))
	}
	return nil
}

// parseBody reads the report. Version 5 announces type and size; both must be what the table says.
func (q *Quote) parseBody(c *cursor) *fault {
	q.BodyType = BodySGX
	if q.Header.TEE == TDX {
		q.BodyType = BodyTD10
	}
	if q.Header.Version == 5 {
		var size uint32
		q.BodyType, size = c.u16(), c.u32()
		want := bodySize(q.BodyType)
		switch {
		case !c.ok:
			return faultf(ClassQuoteFormat, "the quote ends inside the body descriptor")
		case want == 0:
			return faultf(ClassQuoteFormat, fmt.Sprintf("body type %d is unknown", q.BodyType))
		case int64(size) != int64(want):
			return faultf(ClassQuoteFormat, fmt.Sprintf("body type %d has %d bytes, the descriptor says %d", q.BodyType, want, size))
		case (q.BodyType == BodySGX) != (q.Header.TEE == SGX):
			return faultf(ClassQuoteFormat, fmt.Sprintf("body type %d does not belong to %s", q.BodyType, q.Header.TEE))
		}
	}
	body := c.take(bodySize(q.BodyType))
	if !c.ok {
		return faultf(ClassQuoteFormat, "the quote ends inside its report")
	}
	if q.BodyType == BodySGX {
		q.Enclave = new(EnclaveReport)
		q.Enclave.read(body)
		return nil
	}
	q.TD = new(TDReport)
	q.TD.read(body)
	return nil
}

func bodySize(bodyType uint16) int {
	switch bodyType {
	case BodySGX:
		return 384
	case BodyTD10:
		return 584
	case BodyTD15:
		return 648
	case BodyTD15Extended:
		return 885
	}
	return 0
}

// parseSignatureData reads what follows the length. From version 4 on, QE report and certification data are nested
// in certification data of type 6; nothing may be left over there.
func (q *Quote) parseSignatureData(c *cursor) *fault {
	copy(q.Signature[:], c.take(64))
	copy(q.AttestationKey[:], c.take(64))
	inner := c
	if q.Header.Version > 3 {
		outer := c.u16()
		inner = &cursor{rest: c.block(), ok: c.ok}
		if c.ok && outer != 6 {
			return faultf(ClassQuoteFormat, fmt.Sprintf("certification data of type %d where version %d has 6", outer, q.Header.Version))
		}
		if c.ok && len(c.rest) > 0 {
			return faultf(ClassQuoteFormat, "bytes are left over in the signature data")
		}
	}
	q.qeReport = inner.take(384)
	copy(q.QEReportSignature[:], inner.take(64))
	q.QEAuthData = inner.take(int(inner.u16()))
	q.CertType = inner.u16()
	q.CertData = inner.block()
	switch {
	case !inner.ok:
		return faultf(ClassQuoteFormat, "the signature data ends too early")
	case len(inner.rest) > 0:
		return faultf(ClassQuoteFormat, "bytes are left over after the certification data")
	case q.CertType < 1 || q.CertType > 5:
		return faultf(ClassQuoteFormat, fmt.Sprintf("certification data of type %d; 1 to 5 are known", q.CertType))
	}
	q.QEReport.read(q.qeReport)
	return nil
}
