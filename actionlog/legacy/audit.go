package legacy

import (
	"fmt"
	"math/big"
	"strings"
)

// Finding is what one row is worth.
type Finding struct {
	ID         string   `json:"id"`
	Agent      string   `json:"agentId"`
	Type       string   `json:"type"`
	Timestamp  string   `json:"timestamp"`
	Signature  string   `json:"signature"` // "fits", "does not fit", "unreadable", "no key"
	Covered    string   `json:"covered"`   // the very characters that the signature depends on
	Covers     string   `json:"covers"`    // the same in words
	NotCovered []string `json:"not_covered"`
	SameAs     int      `json:"same_signature"` // rows, this one included, with this very signature
	Worthless  bool     `json:"worthless"`
	Why        string   `json:"why,omitempty"`
}

// Report is the whole audit.
type Report struct {
	Rows      []Finding `json:"rows"`
	Total     int       `json:"total"`
	Fit       int       `json:"signature_fits"`
	Worthless int       `json:"worthless"`
	Distinct  int       `json:"distinct_signatures"`
	NotProven string    `json:"not_proven"`
}

const notProven = "No row proves its type, content, user or time: the signatures do not cover them, or the joined text can be read in several ways. " +
	"Nothing shows that rows are complete or in order: there is no number, chain or count. Keys are those that the same file names."

// Audit judges rows. Keys are the public keys, hex, that the database names for an agent.
func Audit(rows []Row, keys func(agent string) []string) Report {
	r := Report{Rows: []Finding{}, Total: len(rows), NotProven: notProven}
	same := map[string]int{}
	for i := range rows {
		same[rows[i].Signature]++
	}
	r.Distinct = len(same)
	for i := range rows {
		f := judge(&rows[i], keys(rows[i].Agent))
		f.SameAs = same[rows[i].Signature]
		if f.Signature == fits {
			r.Fit++
		}
		if f.Worthless {
			r.Worthless++
		}
		r.Rows = append(r.Rows, f)
	}
	return r
}

const (
	fits       = "fits"
	doesNotFit = "does not fit"
	unreadable = "unreadable"
	noKey      = "no key"
)

func judge(row *Row, keys []string) Finding {
	z, covered := signed(row.message())
	f := Finding{ID: row.ID, Agent: row.Agent, Type: row.Type, Timestamp: row.Timestamp, Covered: covered}
	f.Covers, f.NotCovered = row.coverage(covered)
	if f.NotCovered == nil {
		f.NotCovered = []string{} // a list in JSON, also an empty one
	}
	f.Signature, f.Why = check(z, row.Signature, keys)
	f.Worthless = f.Signature != fits
	if z.Sign() == 0 {
		f.Worthless = true
		f.Why = "nothing at all is covered: the signed number is 0, so anybody can make this signature from the public key alone"
	}
	return f
}

func check(z *big.Int, signature string, keys []string) (outcome, why string) {
	if len(keys) == 0 {
		return noKey, "table tee_agents names no key for this agent"
	}
	outcome, why = doesNotFit, "the signature fits under none of the agent's keys: the row was changed in its covered part, copied, or signed with a key that is gone"
	for _, key := range keys {
		ok, err := verifies(z, signature, key)
		if ok {
			return fits, ""
		}
		if err != nil {
			outcome, why = unreadable, err.Error()
		}
	}
	return outcome, why
}

// coverage says which fields the covered characters reach into.
func (r *Row) coverage(covered string) (covers string, not []string) {
	var parts []string
	left := covered
	for _, f := range []struct{ name, value string }{
		{"agentId", r.Agent}, {"roomId", r.Room}, {"userId", r.User}, {"type", r.Type}, {"content", r.Content}, {"timestamp", r.Timestamp},
	} {
		dense := withoutSpace(f.value)
		n := commonPrefix(dense, left)
		switch {
		case n == len(dense) && (n > 0 || left != ""):
			parts = append(parts, f.name)
		case n > 0:
			parts = append(parts, fmt.Sprintf("the first %d characters of %s", len([]rune(dense[:n])), f.name))
			not = append(not, f.name+" (rest)")
		default:
			not = append(not, f.name)
		}
		left = strings.TrimPrefix(left[n:], "|")
	}
	if len(parts) == 0 {
		return "nothing", not
	}
	return strings.Join(parts, ", ") + ", each character folded to four bits", not
}

func withoutSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if space(r) {
			return -1
		}
		return r
	}, s)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
