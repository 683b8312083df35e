package page

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/eventlog"
)

// Explanation is a quote opened for a person: what each byte says, what it hangs on, how its registers came about.
// It judges nothing.
type Explanation struct {
	TEE          string        `json:"tee"`
	Version      uint16        `json:"version"`
	Fields       []Field       `json:"fields"`
	Notes        []string      `json:"notes"` // why it cannot be verified, as far as its form shows
	Certificates []Certificate `json:"certificates"`
	Status       string        `json:"status,omitempty"` // Intel's spelling; "" when verification did not get so far
	Advisories   []string      `json:"advisories"`
	Expires      *time.Time    `json:"expires,omitempty"` // the earliest end among collateral and certificates
	Registers    []Register    `json:"registers"`
	Needs        *Needs        `json:"needs,omitempty"` // what must be fetched before it can be judged; nil: it is here, or nothing would help
}

// Needs names Intel's documents about a kind of platform.
type Needs struct {
	TEE   string `json:"tee"`   // sgx, tdx
	FMSPC string `json:"fmspc"` // 12 hex digits
	CA    string `json:"ca"`    // platform, processor
}

// Field is one piece of a quote.
type Field struct {
	Section string `json:"section"` // header, body, signature
	Offset  int    `json:"offset"`
	Size    int    `json:"size"`
	Name    string `json:"name"`
	Value   string `json:"value"` // hex
	Meaning string `json:"meaning,omitempty"`
}

// Register is one RTMR with the events that led to it.
type Register struct {
	Name     string `json:"name"`
	Quoted   string `json:"quoted"`
	Replayed string `json:"replayed"`
	Matches  bool   `json:"matches"`
	Steps    []Step `json:"steps"`
}

// Step is one event and the register's value after it.
type Step struct {
	Event   string `json:"event"`
	Payload string `json:"payload,omitempty"` // as text where it is text, else hex
	Digest  string `json:"digest"`
	Value   string `json:"value"`
}

// Explain opens the first quote found in the files, as of a time.
func Explain(files [][]byte, at time.Time) (*Explanation, error) {
	m, err := open(files)
	if err != nil {
		return nil, err
	}
	d := dcap.Describe(m.quote)
	e := &Explanation{Fields: fields(d.Fields), Notes: notEmpty(d.Problems), Advisories: []string{}, Registers: []Register{}, Certificates: []Certificate{}}
	e.TEE, e.Version = kind(d)
	c := m.parsedCollateral()
	if d.Quote != nil {
		e.Certificates = append(e.Certificates, certificates(chainOf(d.Quote, c), lists(c))...)
		if d.Quote.TD != nil {
			e.replay(d.Quote.TD, m)
		}
	}
	if len(m.collateral) == 0 && d.Quote != nil && len(d.Problems) == 0 {
		e.Needs = needs(d.Quote)
	}
	e.judged(m, c, at)
	return e, nil
}

// needs is nil for a quote that only names its PCK certificate: that one must be asked for first, by teapot quote collateral.
func needs(q *dcap.Quote) *Needs {
	n, err := q.Needs(nil)
	if err != nil || n.PCK != nil {
		return nil
	}
	return &Needs{TEE: strings.ToLower(n.TEE.String()), FMSPC: hex.EncodeToString(n.FMSPC[:]), CA: n.CA}
}

func (m *material) parsedCollateral() *dcap.Collateral {
	c, err := dcap.ParseCollateral(m.collateral)
	if err != nil {
		return nil
	}
	return c
}

// judged adds what only verification knows: status, advisories and dates.
func (e *Explanation) judged(m *material, c *dcap.Collateral, at time.Time) {
	if c == nil {
		return
	}
	report, err := new(dcap.Verifier).Verify(m.quote, c, dcap.Options{At: at, AllowSimulated: true})
	if err != nil {
		return
	}
	e.Status, e.Advisories = report.Status.String(), append(e.Advisories, report.Advisories...)
	if !report.EarliestExpiration.IsZero() {
		e.Expires = &report.EarliestExpiration
	}
}

func kind(d dcap.Description) (string, uint16) {
	if d.Quote != nil {
		return d.Quote.Header.TEE.String(), d.Quote.Header.Version
	}
	tee, version := "?", uint16(0)
	for _, f := range d.Fields {
		switch {
		case f.Name == "header.version" && len(f.Value) == 2:
			version = uint16(f.Value[0]) | uint16(f.Value[1])<<8
		case f.Name == "header.tee_type" && f.Note != "":
			tee = f.Note
		}
	}
	return tee, version
}

func fields(list []dcap.Field) []Field {
	out := make([]Field, 0, len(list))
	for _, f := range list {
		out = append(out, Field{section(f.Name), f.Offset, len(f.Value), shortName(f.Name), hex.EncodeToString(f.Value), f.Note})
	}
	return out
}

func section(name string) string {
	switch first, _, _ := strings.Cut(name, "."); first {
	case "header":
		return "header"
	case "body", "report":
		return "body"
	}
	return "signature"
}

// shortName drops the section that the reader sees above the field.
func shortName(name string) string {
	for _, prefix := range []string{"header.", "body.", "report."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
	return name
}

// chainOf is the PEM text of the PCK chain: in the quote, or in the collateral where the quote has none (types 1 to 4).
func chainOf(q *dcap.Quote, c *dcap.Collateral) []byte {
	if q.CertType < 5 && c != nil {
		return []byte(c.PCKCertificateChain)
	}
	return q.CertData
}

func lists(c *dcap.Collateral) []*revocations {
	if c == nil {
		return nil
	}
	return []*revocations{readRevocations(c.PCKCRL), readRevocations(c.RootCACRL)}
}

// replay walks the event log register by register (dstack's rule: docs/formats/eventlog.md).
func (e *Explanation) replay(td *dcap.TDReport, m *material) {
	events, err := eventlog.Parse(m.eventLog)
	if err != nil || len(events) == 0 {
		return
	}
	var now eventlog.Registers
	steps := [4][]Step{}
	for _, ev := range events {
		if ev.IMR > 3 {
			continue
		}
		now.Extend(ev.IMR, ev.Digest)
		steps[ev.IMR] = append(steps[ev.IMR], Step{eventName(ev), payload(ev.Payload), hex.EncodeToString(ev.Digest[:]), hex.EncodeToString(now[ev.IMR][:])})
	}
	for i := range now {
		e.Registers = append(e.Registers, Register{
			Name: fmt.Sprintf("RTMR%d", i), Quoted: hex.EncodeToString(td.RTMR[i][:]), Replayed: hex.EncodeToString(now[i][:]),
			Matches: now[i] == td.RTMR[i], Steps: append([]Step{}, steps[i]...),
		})
	}
}

func eventName(ev eventlog.Event) string {
	if ev.Name != "" {
		return ev.Name
	}
	return fmt.Sprintf("TCG event 0x%08x", ev.Type)
}

const maxPayload = 120 // characters shown

func payload(b []byte) string {
	text := hex.EncodeToString(b)
	if printable(b) {
		text = string(b)
	}
	if len(text) > maxPayload {
		text = text[:maxPayload] + "…"
	}
	return text
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return len(b) > 0
}

func notEmpty(list []string) []string { return append([]string{}, list...) }
