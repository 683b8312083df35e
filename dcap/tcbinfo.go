package dcap

import (
	"bytes"
	"cmp"
	"slices"
)

// tcbInfo is a TCB info document, version 2 (SGX only) or 3 (Intel PCS API, "Get TCB Info").
type tcbInfo struct {
	tee        TEE
	version    uint64
	issued     int64 // Unix seconds
	next       int64
	fmspc      [6]byte
	pceID      [2]byte
	evaluation uint64
	module     moduleIdentity   // version 3, TDX
	modules    []moduleIdentity // version 3, TDX: by major version
	levels     []tcbLevel       // sorted, highest first
	sgxNames   [16]componentName
	tdxNames   [16]componentName
}

// componentName says what a component is, in Intel's words ("BIOS", "Early Microcode Update").
type componentName struct{ category, kind string }

// tcbLevel is one level: what it needs and what it is worth.
type tcbLevel struct {
	sgx        [16]byte
	pcesvn     uint64
	tdx        [16]byte
	date       int64
	status     Status
	advisories []string
}

// svnLevel is one level of a QE or TDX module.
type svnLevel struct {
	svn        uint64
	date       int64
	status     Status
	advisories []string
}

// moduleIdentity is what a TDX module must look like.
type moduleIdentity struct {
	id         string // "TDX_" and the major version in hex; "" for tdxModule
	mrSigner   [48]byte
	attributes [8]byte
	mask       [8]byte
	levels     []svnLevel // sorted, highest first
}

// fields collects which mandatory members were there, a bit each.
type fields uint32

func (f *fields) got(n int) { *f |= 1 << n }

func (f fields) all(n int) bool { return f == 1<<n-1 }

// parseTCBInfo reads the exact inner object. The sort order of the file is not trusted.
func parseTCBInfo(text string) (*tcbInfo, bool) {
	t := &tcbInfo{}
	var have fields
	var id string
	hasModule, hasModules, levelsAt := false, false, -1
	raw := []byte(text)
	err := parseJSON(raw, func(s *scanner) error {
		return s.object(func(name []byte) (err error) {
			switch string(name) {
			case "id":
				return s.text(&id)
			case "version":
				t.version, err = s.number(3)
				have.got(0)
			case "issueDate":
				err = s.date(&t.issued)
				have.got(1)
			case "nextUpdate":
				err = s.date(&t.next)
				have.got(2)
			case "fmspc":
				err = s.hex(t.fmspc[:])
				have.got(3)
			case "pceId":
				err = s.hex(t.pceID[:])
				have.got(4)
			case "tcbType":
				_, err = s.number(0)
				have.got(5)
			case "tcbEvaluationDataNumber":
				t.evaluation, err = s.number(1<<32 - 1)
				have.got(6)
			case "tdxModule":
				hasModule = true
				err = t.module.parse(s, false)
			case "tdxModuleIdentities":
				hasModules = true
				err = t.parseModules(s)
			case "tcbLevels":
				levelsAt = s.i // their shape depends on id and version, which may come later
				err = s.skip()
				have.got(7)
			default:
				err = s.skip()
			}
			return err
		})
	})
	if err != nil || !have.all(8) || !t.setTEE(id) {
		return nil, false
	}
	if t.version == 3 && (hasModule != (t.tee == TDX) || hasModules && t.tee != TDX || hasModules && len(t.modules) == 0) {
		return nil, false
	}
	s := &scanner{s: raw, i: levelsAt, depth: 1}
	return t, t.parseLevels(s) == nil && t.sort()
}

func (t *tcbInfo) setTEE(id string) bool {
	switch {
	case t.version == 2:
		t.tee = SGX
	case t.version == 3 && id == "SGX":
		t.tee = SGX
	case t.version == 3 && id == "TDX":
		t.tee = TDX
	default:
		return false
	}
	return true
}

func (t *tcbInfo) parseModules(s *scanner) error {
	return s.array(func() error {
		t.modules = append(t.modules, moduleIdentity{})
		return t.modules[len(t.modules)-1].parse(s, true)
	})
}

// parse reads tdxModule or, with levels, an element of tdxModuleIdentities.
func (m *moduleIdentity) parse(s *scanner, full bool) error {
	var have fields
	err := s.object(func(name []byte) (err error) {
		switch string(name) {
		case "mrsigner":
			err = s.hex(m.mrSigner[:])
			have.got(0)
		case "attributes":
			err = s.hex(m.attributes[:])
			have.got(1)
		case "attributesMask":
			err = s.hex(m.mask[:])
			have.got(2)
		case "id":
			err = s.text(&m.id)
			have.got(3)
		case "tcbLevels":
			err = parseSVNLevels(s, &m.levels, svnLevelKind{allowed: Status.level})
			have.got(4)
		default:
			err = s.skip()
		}
		return err
	})
	if err != nil || !full && have&7 != 7 || full && !have.all(5) {
		return errJSON
	}
	return nil
}

func (t *tcbInfo) parseLevels(s *scanner) error {
	return s.array(func() error {
		l := tcbLevel{}
		var have fields
		err := s.object(func(name []byte) error {
			if string(name) == "tcb" {
				have.got(0)
				return t.parseTCB(s, &l)
			}
			return parseLevelTail(s, name, &have, &l.date, &l.status, &l.advisories)
		})
		if err != nil || !have.all(3) || !l.status.level() {
			return errJSON
		}
		t.levels = append(t.levels, l)
		return nil
	})
}

// parseLevelTail reads the members that every kind of level has: bits 1 and 2.
func parseLevelTail(s *scanner, name []byte, have *fields, date *int64, status *Status, advisories *[]string) error {
	switch string(name) {
	case "tcbDate":
		have.got(1)
		return s.date(date)
	case "tcbStatus":
		have.got(2)
		text, err := s.bytes()
		v, ok := ParseStatus(string(text))
		if err != nil || !ok {
			return errJSON
		}
		*status = v
		return nil
	case "advisoryIDs":
		return s.strings(advisories)
	}
	return s.skip()
}

// parseTCB reads what a level needs: arrays of 16 components in version 3, numbered members in version 2.
func (t *tcbInfo) parseTCB(s *scanner, l *tcbLevel) error {
	var have fields
	first := len(t.levels) == 0
	err := s.object(func(name []byte) (err error) {
		switch {
		case string(name) == "pcesvn":
			l.pcesvn, err = s.number(1<<32 - 1)
			have.got(16)
		case t.version == 3 && string(name) == "sgxtcbcomponents":
			err = parseComponents(s, &l.sgx, names(first, &t.sgxNames))
			have |= 1<<16 - 1
		case t.version == 3 && t.tee == TDX && string(name) == "tdxtcbcomponents":
			err = parseComponents(s, &l.tdx, names(first, &t.tdxNames))
			have.got(17)
		case t.version == 2 && isNumberedComponent(name):
			n, _ := digits(name[10:12])
			var v uint64
			v, err = s.number(255)
			l.sgx[n-1] = byte(v)
			have.got(n - 1)
		default:
			err = s.skip()
		}
		return err
	})
	want := 17
	if t.tee == TDX {
		want = 18
	}
	if err != nil || !have.all(want) {
		return errJSON
	}
	return nil
}

func names(wanted bool, n *[16]componentName) *[16]componentName {
	if wanted {
		return n
	}
	return nil
}

// isNumberedComponent matches sgxtcbcomp01svn to sgxtcbcomp16svn.
func isNumberedComponent(name []byte) bool {
	if len(name) != 15 || string(name[:10]) != "sgxtcbcomp" || string(name[12:]) != "svn" {
		return false
	}
	n, ok := digits(name[10:12])
	return ok && n >= 1 && n <= 16
}

// parseComponents reads exactly 16 components.
func parseComponents(s *scanner, into *[16]byte, names *[16]componentName) error {
	i := 0
	err := s.array(func() error {
		if i == len(into) {
			return errJSON
		}
		hasSVN := false
		err := s.object(func(name []byte) error {
			switch string(name) {
			case "svn":
				v, err := s.number(255)
				into[i], hasSVN = byte(v), true
				return err
			case "category", "type":
				text, err := s.bytes()
				if names != nil && name[0] == 'c' {
					names[i].category = string(text)
				} else if names != nil {
					names[i].kind = string(text)
				}
				return err
			}
			return s.skip()
		})
		i++
		if !hasSVN {
			return errJSON
		}
		return err
	})
	if i != len(into) {
		return errJSON
	}
	return err
}

// svnLevelKind says what levels of one SVN may be: those of a QE differ in SVN or date, those of a TDX module in SVN.
type svnLevelKind struct {
	allowed func(Status) bool
	dates   bool
}

// parseSVNLevels reads levels with one SVN each and sorts them, highest and newest first; equal ones are refused.
func parseSVNLevels(s *scanner, into *[]svnLevel, kind svnLevelKind) error {
	err := s.array(func() error {
		l := svnLevel{}
		var have fields
		err := s.object(func(name []byte) error {
			if string(name) == "tcb" {
				have.got(0)
				return parseSVN(s, &l.svn)
			}
			return parseLevelTail(s, name, &have, &l.date, &l.status, &l.advisories)
		})
		if err != nil || !have.all(3) || !kind.allowed(l.status) {
			return errJSON
		}
		*into = append(*into, l)
		return nil
	})
	if err != nil || len(*into) == 0 {
		return errJSON
	}
	slices.SortFunc(*into, func(a, b svnLevel) int {
		return cmp.Or(cmp.Compare(b.svn, a.svn), cmp.Compare(b.date, a.date))
	})
	for i := range (*into)[1:] {
		if (*into)[i].svn == (*into)[i+1].svn && !(kind.dates && (*into)[i].date != (*into)[i+1].date) {
			return errJSON
		}
	}
	return nil
}

func parseSVN(s *scanner, into *uint64) error {
	has := false
	err := s.object(func(name []byte) (err error) {
		if string(name) != "isvsvn" {
			return s.skip()
		}
		has = true
		*into, err = s.number(1<<32 - 1)
		return err
	})
	if !has {
		return errJSON
	}
	return err
}

// sort orders the levels by SGX components, PCE SVN and TDX components, highest first; equal levels are refused.
func (t *tcbInfo) sort() bool {
	if len(t.levels) == 0 {
		return false
	}
	slices.SortFunc(t.levels, func(a, b tcbLevel) int { return compareLevels(&b, &a) })
	for i := range t.levels[1:] {
		if compareLevels(&t.levels[i], &t.levels[i+1]) == 0 {
			return false
		}
	}
	return true
}

func compareLevels(a, b *tcbLevel) int {
	if c := bytes.Compare(a.sgx[:], b.sgx[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(a.pcesvn, b.pcesvn); c != 0 {
		return c
	}
	return bytes.Compare(a.tdx[:], b.tdx[:])
}
