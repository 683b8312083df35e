package verify

import (
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
)

// links of the chain in the fixed order of a Result. The first word of a check's id is its link's key.
var links = []struct{ key, name string }{
	{"hardware", "hardware"},
	{"tcb", "TCB"},
	{"debug", "debug"},
	{"measurements", "measurements"},
	{"binding", "binding"},
	{"freshness", "freshness"},
	{"session", "session"},
	{"keys", "keys"},
	{"custody", "custody"},
	{"lineage", "lineage"},
	{"signature", "log signature"},
	{"consistency", "log consistency"},
	{"entries", "entries"},
	{"witnesses", "witnesses"},
	{"rollback", "rollback"},
}

// linkOf returns the position of a check in the chain; an unknown id sorts last, where it is seen.
func linkOf(id string) int {
	key, _, _ := strings.Cut(id, ".")
	for i, l := range links {
		if l.key == key {
			return i
		}
	}
	return len(links)
}

// LinkName is the word people read for a check's link.
func LinkName(id string) string {
	if i := linkOf(id); i < len(links) {
		return links[i].name
	}
	return "other"
}

// inOrder sorts checks along the chain, keeping the order of those on one link, and names their link.
func inOrder(checks []appraisal.Check) []appraisal.Check {
	slices.SortStableFunc(checks, func(a, b appraisal.Check) int { return linkOf(a.ID) - linkOf(b.ID) })
	for i := range checks {
		checks[i].Link = LinkName(checks[i].ID)
	}
	return checks
}
