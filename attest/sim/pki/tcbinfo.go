package pki

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Level is one TCB level of TCB info.
type Level struct {
	SGX        [16]byte // minimum SGX component SVNs
	PCESVN     uint16
	TDX        [16]byte // minimum TDX component SVNs; TDX only
	Date       time.Time
	Status     string
	Advisories []string
}

// SVNLevel is one level of a QE or TDX module identity.
type SVNLevel struct {
	SVN        uint16
	Date       time.Time
	Status     string
	Advisories []string
}

// Module is a TDX module identity. In the module field of TCB info ID and Levels are empty.
type Module struct {
	ID         string // "TDX_01": hexadecimal major version
	MRSigner   [48]byte
	Attributes [8]byte
	Mask       [8]byte
	Levels     []SVNLevel
}

// TCBInfo is the content of a TCB info document.
type TCBInfo struct {
	ID                string // "SGX", "TDX"; not written in version 2
	Version           int    // 2 or 3
	Issued, Next      time.Time
	FMSPC             [6]byte
	PCEID             [2]byte
	Evaluation        int
	Module            Module
	ModuleIdentities  []Module
	Levels            []Level
	UpperCase, Extras bool // hex in capitals; the irrelevant members that Intel's documents carry
}

// JSON returns the exact bytes to sign: the inner object, compact, in Intel's order.
func (t TCBInfo) JSON() []byte {
	var b strings.Builder
	b.WriteByte('{')
	if t.Version != 2 {
		fmt.Fprintf(&b, `"id":%q,`, t.ID)
	}
	fmt.Fprintf(&b, `"version":%d,"issueDate":%q,"nextUpdate":%q,"fmspc":%q,"pceId":%q,"tcbType":0,"tcbEvaluationDataNumber":%d,`,
		t.Version, stamp(t.Issued), stamp(t.Next), t.hex(t.FMSPC[:]), t.hex(t.PCEID[:]), t.Evaluation)
	if t.ID == "TDX" {
		fmt.Fprintf(&b, `"tdxModule":{%s},`, t.module(t.Module))
		t.identities(&b)
	}
	b.WriteString(`"tcbLevels":[`)
	for i, l := range t.Levels {
		comma(&b, i)
		fmt.Fprintf(&b, `{"tcb":{%s},%s}`, t.tcb(l), levelTail(l.Date, l.Status, l.Advisories))
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func (t TCBInfo) identities(b *strings.Builder) {
	if len(t.ModuleIdentities) == 0 {
		return
	}
	b.WriteString(`"tdxModuleIdentities":[`)
	for i, m := range t.ModuleIdentities {
		comma(b, i)
		fmt.Fprintf(b, `{"id":%q,%s,"tcbLevels":%s}`, m.ID, t.module(m), svnLevels(m.Levels))
	}
	b.WriteString(`],`)
}

func (t TCBInfo) module(m Module) string {
	return fmt.Sprintf(`"mrsigner":%q,"attributes":%q,"attributesMask":%q`,
		t.hex(m.MRSigner[:]), t.hex(m.Attributes[:]), t.hex(m.Mask[:]))
}

func (t TCBInfo) tcb(l Level) string {
	if t.Version == 2 {
		var b strings.Builder
		for i, svn := range l.SGX {
			fmt.Fprintf(&b, `"sgxtcbcomp%02dsvn":%d,`, i+1, svn)
		}
		return b.String() + fmt.Sprintf(`"pcesvn":%d`, l.PCESVN)
	}
	out := fmt.Sprintf(`"sgxtcbcomponents":%s,"pcesvn":%d`, t.components(l.SGX), l.PCESVN)
	if t.ID == "TDX" {
		out += `,"tdxtcbcomponents":` + t.components(l.TDX)
	}
	return out
}

func (t TCBInfo) components(svns [16]byte) string {
	parts := make([]string, len(svns))
	for i, svn := range svns {
		parts[i] = fmt.Sprintf(`{"svn":%d}`, svn)
		if t.Extras && i < 2 {
			parts[i] = fmt.Sprintf(`{"svn":%d,"category":"BIOS","type":"Early Microcode Update"}`, svn)
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (t TCBInfo) hex(b []byte) string {
	if t.UpperCase {
		return strings.ToUpper(hex.EncodeToString(b))
	}
	return hex.EncodeToString(b)
}

func svnLevels(levels []SVNLevel) string {
	parts := make([]string, len(levels))
	for i, l := range levels {
		parts[i] = fmt.Sprintf(`{"tcb":{"isvsvn":%d},%s}`, l.SVN, levelTail(l.Date, l.Status, l.Advisories))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func levelTail(date time.Time, status string, advisories []string) string {
	out := fmt.Sprintf(`"tcbDate":%q,"tcbStatus":%q`, stamp(date), status)
	if len(advisories) == 0 {
		return out
	}
	list, err := json.Marshal(advisories)
	if err != nil {
		panic("internal: pki: " + err.Error())
	}
	return out + `,"advisoryIDs":` + string(list)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func comma(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}
