package pki

import "encoding/binary"

// EnclaveReport is an SGX report body, 384 bytes (Intel SDM vol. 3D, REPORT).
type EnclaveReport struct {
	CPUSVN     [16]byte
	MiscSelect [4]byte
	Attributes [16]byte // flags (8 bytes LE) and XFRM; zero means INIT|MODE64BIT, XFRM 7
	MREnclave  [32]byte
	MRSigner   [32]byte
	ProdID     uint16
	SVN        uint16
	ReportData [64]byte
}

// Bytes lays the report out.
func (r EnclaveReport) Bytes() []byte {
	b := make([]byte, 384)
	copy(b[0:], r.CPUSVN[:])
	copy(b[16:], r.MiscSelect[:])
	if r.Attributes == ([16]byte{}) {
		r.Attributes[0], r.Attributes[8] = 0x05, 0x07
	}
	copy(b[48:], r.Attributes[:])
	copy(b[64:], r.MREnclave[:])
	copy(b[128:], r.MRSigner[:])
	binary.LittleEndian.PutUint16(b[256:], r.ProdID)
	binary.LittleEndian.PutUint16(b[258:], r.SVN)
	copy(b[320:], r.ReportData[:])
	return b
}

// The TDX module that defaultTEETCBSVN names.
const (
	moduleSVN   = 5
	moduleMajor = 1
)

// defaultTEETCBSVN is module 1.5 with SVN 5 and a current SEAM loader.
var defaultTEETCBSVN = [16]byte{moduleSVN, moduleMajor, 5}

// TDReport is a TD report body (Intel TDX module ABI). Zero TEETCBSVN and XFAM mean a current platform; every other
// field is taken as it is.
type TDReport struct {
	TEETCBSVN      [16]byte
	MRSeam         [48]byte
	MRSignerSeam   [48]byte
	SeamAttributes [8]byte
	TDAttributes   [8]byte
	XFAM           [8]byte
	MRTD           [48]byte
	MRConfigID     [48]byte
	MROwner        [48]byte
	MROwnerConfig  [48]byte
	RTMR           [4][48]byte
	ReportData     [64]byte

	// TD report 1.5 only (quote version 5, body types 3 and 4).
	TEETCBSVN2  [16]byte
	MRServiceTD [48]byte
	Extended    [237]byte // body type 4: the bytes after offset 648
}

// Bytes10 lays out TD report 1.0, 584 bytes.
func (r TDReport) Bytes10() []byte {
	if r.TEETCBSVN == ([16]byte{}) {
		r.TEETCBSVN = defaultTEETCBSVN
	}
	if r.XFAM == ([8]byte{}) {
		r.XFAM = [8]byte{0xe7, 0x02, 0x06}
	}
	b := make([]byte, 0, 885)
	for _, field := range [][]byte{
		r.TEETCBSVN[:], r.MRSeam[:], r.MRSignerSeam[:], r.SeamAttributes[:], r.TDAttributes[:], r.XFAM[:], r.MRTD[:],
		r.MRConfigID[:], r.MROwner[:], r.MROwnerConfig[:], r.RTMR[0][:], r.RTMR[1][:], r.RTMR[2][:], r.RTMR[3][:], r.ReportData[:],
	} {
		b = append(b, field...)
	}
	return b
}

// Bytes15 lays out TD report 1.5, 648 bytes.
func (r TDReport) Bytes15() []byte {
	if r.TEETCBSVN2 == ([16]byte{}) {
		r.TEETCBSVN2 = defaultTEETCBSVN
	}
	return append(append(r.Bytes10(), r.TEETCBSVN2[:]...), r.MRServiceTD[:]...)
}

// Bytes15Extended lays out the extended TD report 1.5, 885 bytes.
func (r TDReport) Bytes15Extended() []byte { return append(r.Bytes15(), r.Extended[:]...) }

// Signers of Intel's quoting enclaves; the simulated ones carry the same so that independent verifiers agree.
var (
	qeSigner   = [32]byte{0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a, 0x00, 0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff}
	tdqeSigner = [32]byte{0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03, 0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5}
)

// QEReport is the SGX quoting enclave's report, without report data.
func (a *Authority) QEReport() EnclaveReport {
	r := EnclaveReport{CPUSVN: a.platform.CPUSVN, MRSigner: qeSigner, ProdID: 1, SVN: 8}
	r.Attributes[0], r.Attributes[8] = 0x11, 0xe7 // PROVISION_KEY and INIT, as Intel's
	copy(r.MREnclave[:], a.derive("qe/mrenclave", 32))
	return r
}

// TDQEReport is the TD quoting enclave's report, without report data.
func (a *Authority) TDQEReport() EnclaveReport {
	r := EnclaveReport{CPUSVN: a.platform.CPUSVN, MRSigner: tdqeSigner, ProdID: 2, SVN: 4}
	r.Attributes[0], r.Attributes[8] = 0x11, 0xe7
	copy(r.MREnclave[:], a.derive("tdqe/mrenclave", 32))
	return r
}
