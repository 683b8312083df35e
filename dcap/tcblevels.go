package dcap

import (
	"bytes"
	"cmp"
	"slices"
)

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
