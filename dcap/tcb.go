package dcap

import (
	"fmt"
	"strings"
)

// Evaluation is the TCB of a platform as Intel's levels see it: the statuses that contribute and what they give.
type Evaluation struct {
	Status     Status     `json:"status"`
	Platform   Status     `json:"platform"`
	Module     Status     `json:"module,omitzero"` // TDX with a versioned module
	QE         Status     `json:"qe"`
	TCBDate    int64      `json:"tcb_date"` // earliest of the matched levels, Unix seconds
	Advisories []string   `json:"advisories"`
	Shortfalls Shortfalls `json:"shortfalls"`
}

// Shortfall is one thing that is older than a current platform has it.
type Shortfall struct {
	Part   string `json:"part"` // "TDX component 2", "PCE SVN"; components count from 0
	Has    uint64 `json:"has"`
	Needs  uint64 `json:"needs"`
	Remedy string `json:"remedy"`
}

// String is one sentence.
func (s Shortfall) String() string {
	return fmt.Sprintf("%s is %d, needs %d: %s", s.Part, s.Has, s.Needs, s.Remedy)
}

// Shortfalls are all of them.
type Shortfalls []Shortfall

// String joins them.
func (s Shortfalls) String() string {
	parts := make([]string, len(s))
	for i := range s {
		parts[i] = s[i].String()
	}
	return strings.Join(parts, "; ")
}

// platformLevel finds the first level that the platform reaches. With a versioned TDX module (svn[1] > 0) TDX
// components 0 and 1 are the module's own level and are compared there (section 4.1.2.5.2.1).
func (t *tcbInfo) platformLevel(p *PCK, svn *[16]byte) *tcbLevel {
	for i := range t.levels {
		l := &t.levels[i]
		if reaches(&p.Components, &l.sgx, 0) && uint64(p.PCESVN) >= l.pcesvn &&
			(svn == nil || reaches(svn, &l.tdx, firstTDX(svn))) {
			return l
		}
	}
	return nil
}

func firstTDX(svn *[16]byte) int {
	if svn[1] > 0 {
		return 2
	}
	return 0
}

func reaches(has, needs *[16]byte, from int) bool {
	for i := from; i < len(has); i++ {
		if has[i] < needs[i] {
			return false
		}
	}
	return true
}

// moduleFor finds the identity of a module's major version: TDX_ and two hex digits, either case.
func (t *tcbInfo) moduleFor(major byte) *moduleIdentity {
	const digits = "0123456789ABCDEF"
	id := string([]byte{'T', 'D', 'X', '_', digits[major>>4], digits[major&15]})
	for i := range t.modules {
		if strings.EqualFold(t.modules[i].id, id) {
			return &t.modules[i]
		}
	}
	return nil
}

func svnLevelFor(levels []svnLevel, svn uint64) *svnLevel {
	for i := range levels {
		if svn >= levels[i].svn {
			return &levels[i]
		}
	}
	return nil
}

// checkModule compares the SEAM fields of a TD report with the identity of its module.
func (t *tcbInfo) checkModule(r *TDReport) *fault {
	m := &t.module
	if r.TEETCBSVN[1] > 0 {
		if m = t.moduleFor(r.TEETCBSVN[1]); m == nil {
			return faultf(ClassTDXModuleMismatch, fmt.Sprintf("TCB info has no identity TDX_%02X for the TDX module", r.TEETCBSVN[1]))
		}
	}
	switch {
	case r.MRSignerSeam != m.mrSigner:
		return faultf(ClassTDXModuleMismatch, "MRSIGNERSEAM is not the TDX module's signer")
	case r.SeamAttributes != [8]byte{} || m.attributes != [8]byte{}:
		return faultf(ClassTDXModuleMismatch, "SEAMATTRIBUTES are not zero")
	}
	return nil
}

// evaluate gives the TCB of an SGX platform (svn nil) or of a TD with this TEE_TCB_SVN (sections 4.1.2.5.1, .2).
func (t *tcbInfo) evaluate(p *PCK, svn *[16]byte, qeSVN uint64, qe *svnLevel) (Evaluation, *fault) {
	level := t.platformLevel(p, svn)
	if level == nil {
		var e Evaluation
		e.platformShortfalls(t, p, svn)
		return Evaluation{}, faultf(ClassTCBNotSupported, "the platform reaches none of the levels in TCB info: "+e.Shortfalls.String())
	}
	e := Evaluation{
		Platform: level.status, QE: qe.status, TCBDate: min(level.date, qe.date), Advisories: []string{}, Shortfalls: Shortfalls{},
	}
	e.add(level.advisories)
	if svn != nil && svn[1] > 0 {
		m := t.moduleFor(svn[1])
		if m == nil {
			return Evaluation{}, faultf(ClassTCBNotSupported, fmt.Sprintf("TCB info has no identity TDX_%02X for the TDX module", svn[1]))
		}
		module := svnLevelFor(m.levels, uint64(svn[0]))
		if module == nil {
			return Evaluation{}, faultf(ClassTCBNotSupported, "the TDX module is older than every level of its identity")
		}
		if !module.status.component() {
			return Evaluation{}, faultf(ClassTCBUnrecognized, "the TDX module's level has a status that modules do not have")
		}
		e.Module, e.TCBDate = module.status, min(e.TCBDate, module.date)
		e.add(module.advisories)
		if e.Module != UpToDate {
			e.short("TDX module SVN", uint64(svn[0]), m.levels[0].svn, "have the host load a newer TDX module")
		}
	}
	e.add(qe.advisories)
	e.Status = converge(e.Platform, e.Module, e.QE)
	e.platformShortfalls(t, p, svn)
	return e, nil
}

// add keeps advisories sorted and single.
func (e *Evaluation) add(advisories []string) {
	for _, a := range advisories {
		i := 0
		for i < len(e.Advisories) && e.Advisories[i] < a {
			i++
		}
		if i == len(e.Advisories) || e.Advisories[i] != a {
			e.Advisories = append(e.Advisories, "")
			copy(e.Advisories[i+1:], e.Advisories[i:])
			e.Advisories[i] = a
		}
	}
}

func (e *Evaluation) short(part string, has, needs uint64, remedy string) {
	if has < needs {
		e.Shortfalls = append(e.Shortfalls, Shortfall{part, has, needs, remedy})
	}
}

// platformShortfalls compares the platform with the nearest level that has the best status.
func (e *Evaluation) platformShortfalls(t *tcbInfo, p *PCK, svn *[16]byte) {
	if e.Platform == UpToDate {
		return
	}
	var best Evaluation
	found := false
	for i := range t.levels {
		l := &t.levels[i]
		if l.status != t.bestStatus() {
			continue
		}
		var candidate Evaluation
		candidate.compare(t, l, p, svn)
		if !found || len(candidate.Shortfalls) <= len(best.Shortfalls) {
			best, found = candidate, true
		}
	}
	e.Shortfalls = append(e.Shortfalls, best.Shortfalls...)
}

// bestStatus is the best status that any level has: Intel publishes processors that are never UpToDate.
func (t *tcbInfo) bestStatus() Status {
	best := Revoked
	for i := range t.levels {
		best = min(best, t.levels[i].status)
	}
	return best
}

func (e *Evaluation) compare(t *tcbInfo, l *tcbLevel, p *PCK, svn *[16]byte) {
	for i := range l.sgx {
		if p.Components[i] < l.sgx[i] {
			e.short(fmt.Sprintf("SGX component %d", i), uint64(p.Components[i]), uint64(l.sgx[i]), remedy(t.sgxNames[i]))
		}
	}
	e.short("PCE SVN", uint64(p.PCESVN), l.pcesvn, "update the platform software (PCE) and fetch a new PCK certificate")
	if svn == nil {
		return
	}
	for i := firstTDX(svn); i < len(svn); i++ {
		if svn[i] < l.tdx[i] {
			e.short(fmt.Sprintf("TDX component %d", i), uint64(svn[i]), uint64(l.tdx[i]), remedy(t.tdxNames[i]))
		}
	}
}

// remedy turns Intel's words for a component into advice.
func remedy(n componentName) string {
	words := strings.ToLower(n.category + " " + n.kind)
	switch {
	case strings.Contains(words, "module"):
		return "have the host load a newer TDX module"
	case strings.Contains(words, "late microcode"), strings.Contains(words, "os/vmm"):
		return "update the host's OS and microcode"
	case strings.Contains(words, "seam"), strings.Contains(words, "sinit"):
		return "update BIOS (SEAM loader)"
	}
	return "update BIOS/microcode"
}
