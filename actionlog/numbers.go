package actionlog

import (
	"strconv"
	"strings"
)

// Newest returns the highest number that an agent's logs in the directory bear; some is false when there is none. The disk says it:
// it is a reason to refuse or to begin anew, never proof of a log.
func (s *Store) Newest(agent string) (number uint64, some bool, err error) {
	names, err := s.fs.ReadDir("logs")
	if err != nil {
		return 0, false, err
	}
	for _, name := range names {
		digits, ours := strings.CutPrefix(name, strings.ToLower(agent)+"-")
		n, err := strconv.ParseUint(digits, 10, 53)
		if !ours || err != nil || strconv.FormatUint(n, 10) != digits || some && n < number {
			continue
		}
		begun, err := s.begun("logs/" + name)
		if err != nil {
			return 0, false, err
		}
		if begun {
			number, some = n, true
		}
	}
	return number, some, nil
}

// begun says whether a log's directory has a segment: a start may have ended before.
func (s *Store) begun(dir string) (bool, error) {
	files, err := s.fs.ReadDir(dir)
	for _, f := range files {
		if strings.HasSuffix(f, ".segment") {
			return true, err
		}
	}
	return false, err
}
