// Package appraisal holds the words of a verdict: a Check, its Outcome, and the Tier of the whole.
//
// It trusts nothing and decides nothing; packages dcap and verify fill it, the CLI and the pages print it.
// The zero values are the safe ones: an Outcome nobody set reads "not_checked", a Tier nobody set reads "none".
// Words: RFC 9334 (RATS) and draft-ietf-rats-ar4si (tiers).
package appraisal

import "fmt"

// Outcome of one check.
type Outcome uint8

// Outcomes. NotChecked is the zero value, so a forgotten check never reads as passed.
const (
	NotChecked Outcome = iota
	Failed
	Warning
	Passed
)

var outcomes = [...]string{"not_checked", "failed", "warning", "passed"}

// String returns the word used in JSON and text.
func (o Outcome) String() string { return word(outcomes[:], uint8(o)) }

// MarshalText writes the word; an unknown value is an error.
func (o Outcome) MarshalText() ([]byte, error) { return marshal(outcomes[:], uint8(o)) }

// UnmarshalText reads the word; an unknown word is an error.
func (o *Outcome) UnmarshalText(b []byte) error { return unmarshal(outcomes[:], b, (*uint8)(o)) }

// Tier of a whole Result (AR4SI's words).
type Tier uint8

// Tiers. None is the zero value: nothing was judged.
const (
	None Tier = iota
	Contraindicated
	Warned
	Affirming
)

var tiers = [...]string{"none", "contraindicated", "warning", "affirming"}

// String returns the word used in JSON and text.
func (t Tier) String() string { return word(tiers[:], uint8(t)) }

// MarshalText writes the word; an unknown value is an error.
func (t Tier) MarshalText() ([]byte, error) { return marshal(tiers[:], uint8(t)) }

// UnmarshalText reads the word; an unknown word is an error.
func (t *Tier) UnmarshalText(b []byte) error { return unmarshal(tiers[:], b, (*uint8)(t)) }

// Check is one step of a verdict.
type Check struct {
	ID      string  `json:"id"`               // stable, dotted: "tcb.status"
	Link    string  `json:"link"`             // place in the chain: hardware, tcb, code, keys, log, entry, session
	Outcome Outcome `json:"outcome"`          //
	Detail  string  `json:"detail"`           // one sentence for a person
	Got     string  `json:"got,omitempty"`    // what was found
	Want    string  `json:"want,omitempty"`   // what it was compared with
	Source  string  `json:"source,omitempty"` // where Want comes from
	Fault   string  `json:"fault,omitempty"`  // whose fault: host, operator, vendor, network, reader
	Remedy  string  `json:"remedy,omitempty"` // what to do
}

func word(words []string, v uint8) string {
	if int(v) < len(words) {
		return words[v]
	}
	return fmt.Sprintf("unknown(%d)", v)
}

func marshal(words []string, v uint8) ([]byte, error) {
	if int(v) >= len(words) {
		return nil, fmt.Errorf("appraisal: value %d has no name", v)
	}
	return []byte(words[v]), nil
}

func unmarshal(words []string, text []byte, v *uint8) error {
	for i, w := range words {
		if w == string(text) {
			*v = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("appraisal: unknown word %q", text)
}
