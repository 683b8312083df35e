package tlog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
)

// rule numbers the rules of an audit, in the order of the report.
type rule int

const (
	ruleOrigin rule = iota
	ruleLogSignature
	ruleBootSignature
	ruleRoot
	ruleConsistency
	ruleForm
	ruleEntryOrigin
	ruleIndex
	ruleStart
	ruleSignature
	ruleKSeq
	ruleKinds
	ruleTime
	ruleSource
	ruleIntent
	ruleErasure
	ruleContent
	ruleWithheld
	ruleComplete
	ruleCount
)

// ruleText is what a rule's check says. The remedy is for the reader of a failed check.
type ruleText struct{ id, link, passed, failed, want, fault, remedy string }

const (
	remedyCopy = "the log was changed after it was written; compare with another copy, a witness or a receipt, and do not rely on this one"
	remedyKey  = "whoever wrote this does not hold the keys of the attested agent; do not rely on it"
	remedyCode = "attested code does not write this; check the measurements of its start, and do not rely on this log"
	remedyAsk  = "ask for the whole log, or for a narrower range, and verify again"
)

func (r rule) text() ruleText {
	return [ruleCount]ruleText{
		ruleOrigin:        {"log.origin", "log", "the checkpoint is of the log that the attested log key names", "the checkpoint is of another log", "the origin of the attested log key", "host", remedyKey},
		ruleLogSignature:  {"log.signature", "log", "the log key signed the checkpoint", "the log key did not sign the checkpoint", "a signature by the log key", "host", remedyKey},
		ruleBootSignature: {"log.boot_signature", "log", "the boot key of the newest start signed the checkpoint", "the boot key of the newest start did not sign the checkpoint", "a signature by the newest boot leaf's key", "host", remedyKey},
		ruleRoot:          {"log.root", "log", "the entries make up exactly the tree that was signed", "the entries are not the tree that was signed", "size and root of the checkpoint", "host", remedyCopy},
		ruleConsistency:   {"log.consistency", "log", "the log extends what was seen of it before", "the log does not extend what was seen of it before", "the tree seen before as a prefix", "host", "keep both checkpoints: together they prove that the log was forked or rolled back"},
		ruleForm:          {"entries.form", "entry", "every entry is well formed", "an entry is malformed", "docs/formats/leaf.md", "host", remedyCopy},
		ruleEntryOrigin:   {"entries.origin", "entry", "every entry is of this log", "an entry is of another log", "the log's origin", "host", remedyCopy},
		ruleIndex:         {"entries.index", "entry", "every entry stands at its own index", "an entry stands at another's place", "consecutive indices", "host", remedyCopy},
		ruleStart:         {"entries.start", "entry", "every start opens with its boot leaf, over the tree it found", "starts and boot leaves do not fit", "boot leaves without gaps, each naming the tree before it", "host", remedyCopy},
		ruleSignature:     {"entries.signature", "entry", "every entry is signed by the agent key of its start", "an entry is not signed by the agent key of its start", "a signature by the key of the newest boot leaf before it", "host", remedyKey},
		ruleKSeq:          {"entries.kseq", "entry", "entries of each type are numbered without gaps", "entries of a type are not numbered in order", "consecutive numbers within each type", "host", remedyCode},
		ruleKinds:         {"entries.kinds", "entry", "every entry vouches for the counts by type up to it", "the counts by type are wrong", "the hash of the counts by type", "host", remedyCode},
		ruleTime:          {"entries.time", "entry", "time never goes back", "time goes back", "a time not before the predecessor's", "host", remedyCode},
		ruleSource:        {"entries.source", "entry", "callers wrote only what callers may write", "a caller wrote what only Teapot writes", "types app/…, intent, result", "host", remedyCode},
		ruleIntent:        {"entries.intent", "entry", "every result names its intent", "a result names no intent", "an intent among the causes", "operator", remedyCode},
		ruleErasure:       {"entries.erasure", "entry", "contents were erased only where that is allowed", "contents were erased that may not be", "erasable types, and the erasure policy in force", "operator", remedyCode},
		ruleContent:       {"entries.content", "entry", "every content shown is the one its entry commits to", "content is not what its entry commits to", "the commitment in the entry", "host", remedyCopy},
		ruleWithheld:      {"entries.withheld", "entry", "no content that should be here is missing", "content was withheld", "public content, or an erasure that names the entry", "host", "ask the server again; if it stays so, the server hides what the agent published"},
		ruleComplete:      {"entries.complete", "entry", "nothing that was asked for is missing", "something that was asked for is missing", "every entry of the range and types asked for", "host", remedyAsk},
	}[r]
}

// keptFindings is how many findings of one rule a report names.
const keptFindings = 3

type finding struct {
	index uint64
	text  string
}

func (f finding) compare(g finding) int {
	return cmp.Or(cmp.Compare(f.index, g.index), strings.Compare(f.text, g.text))
}

// findings counts what is wrong by rule and keeps the first few by index, whatever the order in which they come.
type findings [ruleCount]struct {
	count uint64
	first []finding
}

func (f *findings) add(r rule, index uint64, text string) {
	f[r].count++
	f.keep(r, finding{index, text})
}

func (f *findings) keep(r rule, x finding) {
	list := f[r].first
	at, _ := slices.BinarySearchFunc(list, x, finding.compare)
	if at == keptFindings {
		return
	}
	list = slices.Insert(list, at, x)
	f[r].first = list[:min(len(list), keptFindings)]
}

func (f *findings) merge(g *findings) {
	for r := range g {
		f[r].count += g[r].count
		for _, x := range g[r].first {
			f.keep(rule(r), x)
		}
	}
}

// check turns what was found against one rule into a Check.
func (f *findings) check(r rule) appraisal.Check {
	t := r.text()
	c := appraisal.Check{ID: t.id, Link: t.link, Outcome: appraisal.Passed, Detail: t.passed, Want: t.want, Source: "the log"}
	if f[r].count == 0 {
		return c
	}
	var got []string
	for _, x := range f[r].first {
		got = append(got, fmt.Sprintf("at %d: %s", x.index, x.text))
	}
	if n := f[r].count - uint64(len(got)); n > 0 {
		got = append(got, fmt.Sprintf("and %d more", n))
	}
	c.Outcome, c.Detail, c.Got, c.Fault, c.Remedy = appraisal.Failed, t.failed, strings.Join(got, "; "), t.fault, t.remedy
	return c
}
