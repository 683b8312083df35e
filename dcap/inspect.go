package dcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Names of the CAs that issue PCK certificates, as Intel's services spell them.
const (
	PlatformCA  = "platform"
	ProcessorCA = "processor"
)

// Needs says which collateral a quote needs.
type Needs struct {
	TEE   TEE
	FMSPC [6]byte
	CA    string // PlatformCA or ProcessorCA
	// PCK asks for the PCK certificate itself, when the quote brings no chain; FMSPC and CA are then unknown.
	PCK *PCKRequest
}

// PCKRequest is what a quote says to find its PCK certificate: certification data of types 1 to 3.
type PCKRequest struct {
	QEID          [16]byte
	EncryptedPPID []byte // nil for type 1, where the PPID is in clear
	CPUSVN        [16]byte
	PCESVN        [2]byte // little-endian, as on the wire
	PCEID         [2]byte // little-endian, as on the wire
}

// Needs reads, unverified, which collateral to ask for. chain, PEM, is used where the quote brings none; it may be nil.
func (q *Quote) Needs(chain []byte) (Needs, error) {
	n := Needs{TEE: q.Header.TEE}
	switch {
	case q.CertType == 5:
		chain = q.CertData
	case len(chain) == 0 && q.CertType <= 3:
		var err error
		n.PCK, err = q.pckRequest()
		return n, err
	case len(chain) == 0:
		return n, errors.New("dcap: the quote brings a PCK certificate without its chain")
	}
	blocks, _ := pemBlocks(chain, pemCertificate, 4)
	for _, b := range blocks {
		c, ok := parseCertificate(b)
		if !ok || c.cn != pckCN {
			continue
		}
		p, ok := parsePCK(c.sgx)
		if !ok {
			break
		}
		n.FMSPC = p.FMSPC
		switch issuer, _ := commonName(c.issuer); issuer {
		case platformCACN:
			n.CA = PlatformCA
			return n, nil
		case processorCACN:
			n.CA = ProcessorCA
			return n, nil
		}
	}
	return n, errors.New("dcap: the quote's PCK chain has no PCK certificate that Intel's CAs could have issued")
}

// pckRequest splits certification data: PPID (16 bytes in clear, 256 or 384 encrypted), CPUSVN, PCESVN, PCE-ID.
func (q *Quote) pckRequest() (*PCKRequest, error) {
	size := map[uint16]int{1: 16, 2: 256, 3: 384}[q.CertType]
	if len(q.CertData) < size+20 {
		return nil, fmt.Errorf("dcap: certification data of type %d has %d bytes, needs %d", q.CertType, len(q.CertData), size+20)
	}
	r := &PCKRequest{}
	copy(r.QEID[:], q.Header.UserData[:16])
	if q.CertType != 1 {
		r.EncryptedPPID = q.CertData[:size]
	}
	tail := q.CertData[size:]
	copy(r.CPUSVN[:], tail)
	copy(r.PCESVN[:], tail[16:])
	copy(r.PCEID[:], tail[18:])
	return r, nil
}

// CollateralInfo is what genuine collateral says of itself.
type CollateralInfo struct {
	TEE              TEE
	FMSPC            [6]byte
	CA               string // of the PCK revocation list
	TCBInfoNumber    uint64 // tcbEvaluationDataNumber
	QEIdentityNumber uint64
	RootCRLNumber    uint64
	PCKCRLNumber     uint64
	Issued           time.Time // latest of all parts
	NextUpdate       time.Time // earliest of all parts
}

// Inspect verifies collateral by itself, without a quote and without judging its windows: signatures, roles, formats.
// root nil means Intel's. The PCK revocation list must be signed by the CA in its own issuer chain.
func (v *Verifier) Inspect(c *Collateral, root []byte) (*CollateralInfo, error) {
	trusted, err := v.trustedRoot(nil, c, Options{Root: root})
	if err != nil {
		return nil, err
	}
	m := v.material(c, trusted.certificate)
	for _, f := range []*fault{
		m.rootCRLFault, m.pckCRLFault, m.infoSigner.chainFault, m.infoSigner.signatureFault, m.infoFault,
		m.identitySigner.chainFault, m.identitySigner.signatureFault, m.identityFault,
	} {
		if f != nil {
			return nil, fmt.Errorf("dcap: collateral is not genuine: %w", f)
		}
	}
	ca, name := v.issuerOf([]byte(c.PCKCRLIssuerChain), trusted.certificate)
	if ca == nil {
		return nil, errors.New("dcap: collateral is not genuine: the issuer chain of the PCK revocation list does not lead to the trusted root")
	}
	if f := m.pckCRLOf(ca); f != nil {
		return nil, fmt.Errorf("dcap: collateral is not genuine: %w", f)
	}
	i := &CollateralInfo{
		TEE: m.info.tee, FMSPC: m.info.fmspc, CA: name,
		TCBInfoNumber: m.info.evaluation, QEIdentityNumber: m.identity.evaluation,
		RootCRLNumber: magnitude(m.rootCRL.number), PCKCRLNumber: magnitude(m.pckCRL.number),
	}
	i.Issued = time.Unix(slices.Max([]int64{m.rootCRL.thisUpdate, m.pckCRL.thisUpdate, m.info.issued, m.identity.issued}), 0).UTC()
	i.NextUpdate = time.Unix(slices.Min([]int64{m.rootCRL.nextUpdate, m.pckCRL.nextUpdate, m.info.next, m.identity.next}), 0).UTC()
	return i, nil
}

// issuerOf finds the PCK CA in a chain of CA and root.
func (v *Verifier) issuerOf(chain []byte, root *certificate) (*certificate, string) {
	certs, ok := readChain(chain, root)
	if !ok {
		return nil, ""
	}
	found := byRole(certs, platformCACN, processorCACN)
	if found == nil {
		return nil, ""
	}
	ca, ok := v.ca(found, root)
	if !ok {
		return nil, ""
	}
	if ca.cn == platformCACN {
		return ca, PlatformCA
	}
	return ca, ProcessorCA
}

// magnitude is the low 64 bits of a number; CRL numbers beyond that do not occur and would read as huge.
func magnitude(b []byte) uint64 {
	if len(bytes.TrimLeft(b, "\x00")) > 8 {
		return 1<<64 - 1
	}
	var wide [8]byte
	copy(wide[8-min(len(b), 8):], b[max(len(b)-8, 0):])
	return binary.BigEndian.Uint64(wide[:])
}
