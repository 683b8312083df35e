package dcap

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
