package dcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// part is a field of a report: name and size.
type part struct {
	name string
	size int
}

var enclaveParts = []part{
	{"cpu_svn", 16},
	{"misc_select", 4},
	{"reserved1", 12},
	{"isv_ext_prod_id", 16},
	{"attributes", 16},
	{"mr_enclave", 32},
	{"reserved2", 32},
	{"mr_signer", 32},
	{"reserved3", 32},
	{"config_id", 64},
	{"isv_prod_id", 2},
	{"isv_svn", 2},
	{"config_svn", 2},
	{"reserved4", 42},
	{"isv_family_id", 16},
	{"report_data", 64},
}

var tdParts = []part{
	{"tee_tcb_svn", 16},
	{"mr_seam", 48},
	{"mr_signer_seam", 48},
	{"seam_attributes", 8},
	{"td_attributes", 8},
	{"xfam", 8},
	{"mr_td", 48},
	{"mr_config_id", 48},
	{"mr_owner", 48},
	{"mr_owner_config", 48},
	{"rtmr0", 48},
	{"rtmr1", 48},
	{"rtmr2", 48},
	{"rtmr3", 48},
	{"report_data", 64},
}

var td15Parts = []part{{"tee_tcb_svn2", 16}, {"mr_service_td", 48}}

var tdExtendedParts = []part{
	{"vm_id", 1},
	{"td_id", 32},
	{"dev_info", 48},
	{"init_servtd_hash", 48},
	{"init_servtd_attr", 8},
	{"init_cpu_svn", 16},
	{"init_tee_tcb_svn", 16},
	{"init_fmspc", 12},
	{"cur_servtd_hash", 48},
	{"cur_servtd_attr", 8},
}

// meaning explains the values that people ask about.
func meaning(name string, b []byte) string {
	zero := len(bytes.Trim(b, "\x00")) == 0
	switch name {
	case "tee_tcb_svn", "tee_tcb_svn2":
		return fmt.Sprintf("TDX module %d, SVN %d", b[1], b[0])
	case "td_attributes":
		return tdAttributeNames(binary.LittleEndian.Uint64(b))
	case "attributes":
		if b[0]&0x02 != 0 {
			return "DEBUG: memory is open to the host"
		}
		return "no debug"
	case "mr_td":
		return "measurement of the TD's initial memory"
	case "mr_enclave":
		return "measurement of the enclave"
	case "mr_signer":
		return "hash of the enclave signer's key"
	case "rtmr0", "rtmr1", "rtmr2", "rtmr3":
		return "run-time measurement, replayed from the event log"
	case "report_data":
		return "chosen by the attested code"
	case "isv_prod_id", "isv_svn", "config_svn":
		return fmt.Sprint(binary.LittleEndian.Uint16(b))
	case "mr_service_td":
		if !zero {
			return "a service TD is bound"
		}
	}
	return ""
}

func tdAttributeNames(a uint64) string {
	out := ""
	for _, n := range []struct {
		bit  uint64
		name string
	}{
		{TDDebug, "DEBUG: memory is open to the host"},
		{tdUnderTest, "under test"},
		{TDICSSD, "ICSSD"},
		{TDServiceTDExt, "SERVTD_EXT"},
		{TDLASS, "LASS"},
		{TDSeptVEDisable, "SEPT_VE_DISABLE"},
		{TDMigratable, "MIGRATABLE"},
		{TDPKS, "PKS"},
		{TDKL, "KL"},
		{TDTPA, "TPA"},
		{TDPerfmon, "PERFMON"},
		{^tdKnown, "unknown bits"},
	} {
		if a&n.bit != 0 {
			out += ", " + n.name
		}
	}
	if out == "" {
		return "none"
	}
	return out[2:]
}

var certTypeNames = map[uint16]string{
	1: "PPID in clear", 2: "PPID, RSA-2048", 3: "PPID, RSA-3072", 4: "PCK certificate", 5: "PCK certificate chain, PEM",
	6: "QE report certification data", 7: "platform manifest",
}
