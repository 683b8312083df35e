package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// Page answers a page's questions. The zero value works; it remembers verified collateral between questions, never a verdict.
type Page struct {
	verifier dcap.Verifier
	// Progress is told how far a log is; nil tells nobody.
	Progress func(done, total uint64)
}

// Judged is a verdict on a live agent with what the page shows and what it goes on from.
type Judged struct {
	Result  verify.Result   `json:"result"`
	HPKE    []HPKEKey       `json:"hpke"` // of the boot statement
	Boot    *BootFacts      `json:"boot"`
	Entries []Entry         `json:"entries"`
	State   json.RawMessage `json:"state,omitempty"` // for Follow; missing when the log did not verify
	Seen    []verify.Seen   `json:"seen"`            // what the browser may remember
}

// HPKEKey is a key to seal messages to; Public is base64.
type HPKEKey struct {
	ID     uint64 `json:"id"`
	KEM    uint64 `json:"kem"`
	KDF    uint64 `json:"kdf"`
	AEAD   uint64 `json:"aead"`
	Public []byte `json:"public"`
}

// BootFacts are the words of the boot statement that a person asks about.
type BootFacts struct {
	ID        string `json:"id"`   // SHA-256 of the statement
	Time      uint64 `json:"time"` // host's clock, milliseconds since 1970
	Software  string `json:"software"`
	Version   string `json:"version"`
	Platform  string `json:"platform"`
	Witnesses string `json:"witnesses,omitempty"`
}

// state is what Follow needs of a log: the audit so far, and the attested log key.
type state struct {
	Origin string          `json:"origin"`
	LogKey []byte          `json:"log_key"`
	Audit  json.RawMessage `json:"audit"`
}

// Judge hands a live agent's boot evidence, session evidence and log to package verify.
func (p *Page) Judge(boot, session, log []byte, o Options) (*Judged, error) {
	policy, err := o.policy()
	if err != nil {
		return nil, err
	}
	in, err := o.input()
	if err != nil {
		return nil, err
	}
	in.Kind, in.Boot, in.Session = verify.KindURL, boot, session
	in.Logs = []verify.Log{{Agent: o.Agent, Bundle: bytes.NewReader(log), From: o.From, Contents: true}}
	in.Only = []string{o.Agent} // the page shows one agent
	j := &Judged{Entries: []Entry{}, HPKE: []HPKEKey{}, Seen: []verify.Seen{}}
	p.watch(&in, j)
	if j.Result, err = verify.Appraise(in, policy, o.At); err != nil {
		return nil, err
	}
	j.Seen = append(j.Seen, j.Result.Remember...)
	j.statement(boot)
	if j.State == nil {
		j.Entries = one(log, j.Entries)
	}
	return j, nil
}

// watch looks over the verifier's shoulder: entries as they are walked, the audit at its end.
func (p *Page) watch(in *verify.Input, j *Judged) {
	in.Verifier = &p.verifier
	in.Entry = func(l *tlog.Leaf, item *tlog.Item) { j.Entries = append(j.Entries, newEntry(l, item)) }
	in.Audited = func(part *evidence.AgentPart, r *tlog.AuditReport) {
		if r.State == nil {
			return
		}
		audit, err := r.State.Marshal()
		if err != nil {
			return
		}
		j.State, _ = json.Marshal(state{part.Log.Origin, part.Log.Key[:], audit}) // strings and bytes always marshal
	}
	if p.Progress != nil {
		in.Progress = func(_ string, done, total uint64) { p.Progress(done, total) }
	}
}

// statement reads what the boot statement says. Whether the quote commits to it is among the Result's checks.
func (j *Judged) statement(document []byte) {
	b, e, err := bootOf(document)
	if err != nil {
		return
	}
	for _, k := range b.HPKEKeys {
		j.HPKE = append(j.HPKE, HPKEKey{k.ID, k.KEM, k.KDF, k.AEAD, k.Public})
	}
	j.Boot = &BootFacts{ID: e.ID().String(), Time: b.Time, Software: b.Software.Name, Version: b.Software.Version, Platform: b.Platform}
}

func bootOf(document []byte) (*evidence.Boot, *evidence.Evidence, error) {
	e, err := evidence.ParseEvidence(document)
	if err != nil {
		return nil, nil, err
	}
	b, err := evidence.ParseBoot(e.Statement)
	return b, e, err
}

// Keys reads the HPKE keys of a boot statement that was not judged yet: a session request can be sealed to them, because
// the session's evidence is judged together with the statement.
func Keys(document []byte) ([]HPKEKey, error) {
	var j Judged
	if _, _, err := bootOf(document); err != nil {
		return nil, err
	}
	j.statement(document)
	return append([]HPKEKey{}, j.HPKE...), nil
}

// one looks at each entry of a log by itself, after the audit of the whole failed: which entries are not what the agent
// signed? The others get a warning, because the log that holds them does not verify.
func one(log []byte, otherwise []Entry) []Entry {
	r, err := bundle.NewReader(bytes.NewReader(log))
	if err != nil {
		return otherwise
	}
	var all []Entry
	var key []byte
	for {
		item, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) && len(all) > 0 {
				all[len(all)-1].fail("the log breaks off here: " + err.Error())
			}
			return append([]Entry{}, all...)
		}
		if item.Left() {
			continue
		}
		all = append(all, single(item, r.Pos()-1, &key))
	}
}

func single(item tlog.Item, at uint64, key *[]byte) Entry {
	l, err := tlog.DecodeLeaf(item.Leaf)
	if err != nil {
		return Entry{Index: at, Cause: []uint64{}, Type: "?", ContentState: "withheld", Outcome: "failed", Detail: err.Error()}
	}
	if l.Start != nil {
		*key = append([]byte{}, l.Start.AgentKey[:]...)
	}
	e := newEntry(l, &item)
	switch {
	case e.Outcome == "failed":
	case l.Index != at:
		e.Index = at
		e.fail(fmt.Sprintf("this entry says that it is entry %d", l.Index))
	case *key == nil || !l.Verify(*key):
		e.fail("not signed by the agent key of its start")
	default:
		e.Outcome, e.Detail = "warning", "signed by the agent, but the log around it does not verify"
	}
	return e
}
