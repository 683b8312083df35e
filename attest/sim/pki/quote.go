package pki

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

var intelVendor = [16]byte{0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07}

// QE is a quoting enclave: it holds an attestation key and what vouches for it; one per process, as on a real platform.
type QE struct {
	key      *ecdsa.PrivateKey
	public   []byte // x||y
	report   []byte // 384 bytes; report data = SHA-256(public || auth) || 32 zero bytes
	signed   [64]byte
	authData []byte
}

func (a *Authority) newQuotingEnclave(report EnclaveReport, label string) (*QE, error) {
	auth := make([]byte, 32) // real ones count 00..1f
	for i := range auth {
		auth[i] = byte(i)
	}
	return NewQE(a.PCK.Key, a.key("attestation/"+label), report, auth)
}

// NewQE certifies an attestation key with a PCK key. Tests use it for quoting enclaves that should not be.
func NewQE(pck, attestation *ecdsa.PrivateKey, report EnclaveReport, auth []byte) (*QE, error) {
	q := &QE{key: attestation, public: rawPublic(attestation), authData: auth}
	sum := sha256.Sum256(append(slices.Clone(q.public), auth...))
	copy(report.ReportData[:], sum[:])
	q.report = report.Bytes()
	var err error
	q.signed, err = Sign(pck, q.report)
	return q, err
}

// QuoteTDX signs a TDX version 4 quote.
func (a *Authority) QuoteTDX(r TDReport) ([]byte, error) {
	return a.Quote(Spec{Version: 4, TEE: TDX, Body: r.Bytes10()})
}

// QuoteSGX signs an SGX version 3 quote. A zero CPUSVN means the platform's.
func (a *Authority) QuoteSGX(r EnclaveReport) ([]byte, error) {
	if r.CPUSVN == ([16]byte{}) {
		r.CPUSVN = a.platform.CPUSVN
	}
	return a.Quote(Spec{Version: 3, TEE: SGX, Body: r.Bytes()})
}

// Spec is a quote to sign. Zero fields mean what a healthy platform would write.
type Spec struct {
	Version  uint16
	TEE      TEE
	BodyType uint16 // version 5: 1 SGX, 2 TD 1.0, 3 TD 1.5, 4 TD 1.5 extended; 0 takes it from the body's length
	Body     []byte
	QE       *QE
	CertType uint16 // inner certification data; 0 means 5
	CertData []byte // nil means the PCK chain, ending in NUL
	Mutate   func(signed []byte) []byte
}

// Quote signs any quote of version 3, 4 or 5.
func (a *Authority) Quote(s Spec) ([]byte, error) {
	s = a.defaults(s)
	signed := append(header(s), s.Body...)
	if s.Mutate != nil {
		signed = s.Mutate(signed)
	}
	signature, err := Sign(s.QE.key, signed)
	if err != nil {
		return nil, err
	}
	data := append(append(make([]byte, 0, 8192), signature[:]...), s.QE.public...)
	if s.Version == 3 {
		data = s.certification(data)
	} else {
		inner := s.certification(nil)
		data = binary.LittleEndian.AppendUint16(data, 6)
		data = binary.LittleEndian.AppendUint32(data, uint32(len(inner)))
		data = append(data, inner...)
	}
	return append(binary.LittleEndian.AppendUint32(signed, uint32(len(data))), data...), nil
}

func (a *Authority) defaults(s Spec) Spec {
	if s.QE == nil {
		s.QE = a.sgxQE
		if s.TEE == TDX {
			s.QE = a.tdxQE
		}
	}
	if s.CertType == 0 {
		s.CertType = 5
	}
	if s.CertData == nil {
		s.CertData = a.pckChainPEM
	}
	if s.BodyType == 0 {
		s.BodyType = map[int]uint16{384: 1, 584: 2, 648: 3, 885: 4}[len(s.Body)]
	}
	return s
}

// header is the 48 bytes of every version, with version 5's body descriptor.
func header(s Spec) []byte {
	h := make([]byte, 48, 8192)
	binary.LittleEndian.PutUint16(h[0:], s.Version)
	binary.LittleEndian.PutUint16(h[2:], 2) // ECDSA P-256
	if s.TEE == TDX {
		h[4] = 0x81
	}
	if s.Version == 3 {
		binary.LittleEndian.PutUint16(h[8:], 8)   // QE SVN
		binary.LittleEndian.PutUint16(h[10:], 13) // PCE SVN
	}
	copy(h[12:], intelVendor[:])
	copy(h[28:], UserData)
	if s.Version == 5 {
		h = binary.LittleEndian.AppendUint16(h, s.BodyType)
		h = binary.LittleEndian.AppendUint32(h, uint32(len(s.Body)))
	}
	return h
}

// certification appends QE report, its signature, auth data and certification data.
func (s Spec) certification(b []byte) []byte {
	b = append(append(b, s.QE.report...), s.QE.signed[:]...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s.QE.authData)))
	b = append(b, s.QE.authData...)
	b = binary.LittleEndian.AppendUint16(b, s.CertType)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s.CertData)))
	return append(b, s.CertData...)
}
