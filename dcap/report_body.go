package dcap

import "encoding/binary"

// EnclaveReport is an SGX report body, 384 bytes (Intel SDM volume 3D, REPORT structure).
type EnclaveReport struct {
	CPUSVN     [16]byte
	MiscSelect [4]byte  // u32 little-endian
	ExtProdID  [16]byte // KSS; zero without
	Attributes [16]byte // flags u64, XFRM u64; DEBUG is 0x02 of byte 0
	MREnclave  [32]byte
	MRSigner   [32]byte
	ConfigID   [64]byte // KSS
	ProdID     uint16
	SVN        uint16
	ConfigSVN  uint16   // KSS
	FamilyID   [16]byte // KSS
	ReportData [64]byte
}

// Debug says whether a debugger may read and write the enclave.
func (r *EnclaveReport) Debug() bool { return r.Attributes[0]&0x02 != 0 }

func (r *EnclaveReport) read(b []byte) {
	copy(r.CPUSVN[:], b[0:])
	copy(r.MiscSelect[:], b[16:])
	copy(r.ExtProdID[:], b[32:])
	copy(r.Attributes[:], b[48:])
	copy(r.MREnclave[:], b[64:])
	copy(r.MRSigner[:], b[128:])
	copy(r.ConfigID[:], b[192:])
	r.ProdID = binary.LittleEndian.Uint16(b[256:])
	r.SVN = binary.LittleEndian.Uint16(b[258:])
	r.ConfigSVN = binary.LittleEndian.Uint16(b[260:])
	copy(r.FamilyID[:], b[304:])
	copy(r.ReportData[:], b[320:])
}

// TD attributes (Intel TDX Module Base Architecture Specification, ATTRIBUTES). Bits 0 to 7 put the TD under test.
const (
	TDDebug         uint64 = 1 << 0
	tdUnderTest     uint64 = 0xff &^ TDDebug // TUD: profiling and test features
	tdUnderTestOpen uint64 = 0x8e            // those of them that have no meaning yet: bits 1, 2, 3, 7
	TDICSSD         uint64 = 1 << 16
	TDServiceTDExt  uint64 = 1 << 17
	TDLASS          uint64 = 1 << 27
	TDSeptVEDisable uint64 = 1 << 28
	TDMigratable    uint64 = 1 << 29
	TDPKS           uint64 = 1 << 30
	TDKL            uint64 = 1 << 31
	TDTPA           uint64 = 1 << 62
	TDPerfmon       uint64 = 1 << 63

	tdKnown uint64 = 0xff | TDICSSD | TDServiceTDExt | TDLASS | TDSeptVEDisable | TDMigratable | TDPKS | TDKL | TDTPA | TDPerfmon
)

// XFAM: bits that every TD has (x87, SSE) and bits that any known TDX module lets a TD have.
const (
	xfamFixed1 uint64 = 0x00000003
	xfamKnown  uint64 = 0x0006dbe7 | 1<<19 // as the module's metadata; bit 19 is APX
)

// TDReport is a TD report body: 584 bytes (1.0), 648 (1.5) or 885 (1.5 extended).
type TDReport struct {
	TEETCBSVN      [16]byte // at launch; [1] module major version, [0] module SVN
	MRSeam         [48]byte
	MRSignerSeam   [48]byte // zero for Intel's modules
	SeamAttributes [8]byte
	TDAttributes   uint64 // little-endian u64, see the TD constants
	XFAM           uint64
	MRTD           [48]byte
	MRConfigID     [48]byte
	MROwner        [48]byte
	MROwnerConfig  [48]byte
	RTMR           [4][48]byte
	ReportData     [64]byte

	TEETCBSVN2  [16]byte // 1.5: current module TCB
	MRServiceTD [48]byte // 1.5

	Extended *TDExtension // 1.5 extended
}

// TDExtension is what the extended TD report adds: bytes 648 to 884.
type TDExtension struct {
	VMID              byte
	TDID              [32]byte
	DevInfo           [48]byte
	InitServiceTDHash [48]byte
	InitServiceTDAttr [8]byte
	InitCPUSVN        [16]byte
	InitTEETCBSVN     [16]byte
	InitFMSPC         [12]byte
	CurServiceTDHash  [48]byte
	CurServiceTDAttr  [8]byte
}

func (r *TDReport) read(b []byte) {
	copy(r.TEETCBSVN[:], b[0:])
	copy(r.MRSeam[:], b[16:])
	copy(r.MRSignerSeam[:], b[64:])
	copy(r.SeamAttributes[:], b[112:])
	r.TDAttributes = binary.LittleEndian.Uint64(b[120:])
	r.XFAM = binary.LittleEndian.Uint64(b[128:])
	copy(r.MRTD[:], b[136:])
	copy(r.MRConfigID[:], b[184:])
	copy(r.MROwner[:], b[232:])
	copy(r.MROwnerConfig[:], b[280:])
	for i := range r.RTMR {
		copy(r.RTMR[i][:], b[328+48*i:])
	}
	copy(r.ReportData[:], b[520:])
	if len(b) >= 648 {
		copy(r.TEETCBSVN2[:], b[584:])
		copy(r.MRServiceTD[:], b[600:])
	}
	if len(b) >= 885 {
		r.Extended = new(TDExtension)
		r.Extended.read(b[648:])
	}
}

func (e *TDExtension) read(b []byte) {
	e.VMID = b[0]
	copy(e.TDID[:], b[1:])
	copy(e.DevInfo[:], b[33:])
	copy(e.InitServiceTDHash[:], b[81:])
	copy(e.InitServiceTDAttr[:], b[129:])
	copy(e.InitCPUSVN[:], b[137:])
	copy(e.InitTEETCBSVN[:], b[153:])
	copy(e.InitFMSPC[:], b[169:])
	copy(e.CurServiceTDHash[:], b[181:])
	copy(e.CurServiceTDAttr[:], b[229:])
}
