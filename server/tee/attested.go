package tee

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/server/express"
	"github.com/teapot-tee/teapot/tlog"
)

// reply is an answer: the member that Eliza's clients read, and what vouches for it.
type reply struct {
	name    string // of the member: agents, agent, logs
	value   any
	proofs  []proofs
	nonce   []byte // nil: nobody asked for an extract
	query   string // as it was answered
	failure string // Eliza's words when it fails
}

// proofs lead from entries of one log to its signed checkpoint.
type proofs struct {
	AgentID    string  `json:"agentId"`
	Origin     string  `json:"origin"`
	Checkpoint string  `json:"checkpoint"` // signed note
	Entries    []proof `json:"entries"`
}

// proof is the way of one leaf to the root of the checkpoint.
type proof struct {
	Index uint64        `json:"index"`
	Leaf  []byte        `json:"leaf,omitempty"` // base64, where the row does not have it
	Proof tlog.Hashes64 `json:"proof"`          // base64 of the sibling hashes, leaf to root
}

// prove makes the proofs of entries under one checkpoint; leaves says whether they come with their leaves.
func prove(a Agent, indices []uint64, leaves bool) (proofs, error) {
	list, err := a.Log.ProveAll(indices)
	out := proofs{AgentID: a.ID, Origin: a.Log.Origin(), Checkpoint: string(a.Log.Checkpoint()), Entries: []proof{}}
	for _, p := range list {
		e := proof{Index: p.Index, Proof: append(tlog.Hashes64{}, p.Path...)}
		if leaves {
			e.Leaf = p.Leaf
		}
		out.Checkpoint, out.Entries = string(p.Checkpoint), append(out.Entries, e)
	}
	return out, err
}

// nonceOf reads a nonce; text "" is none.
func nonceOf(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	nonce, err := hex.DecodeString(text)
	if err != nil || len(nonce) < 16 || len(nonce) > 64 {
		return nil, errors.New("nonce: want 16 to 64 bytes in hex")
	}
	return nonce, nil
}

// errBusy is a budget for quotes that is used up.
type errBusy struct{ wait time.Duration }

func (e *errBusy) Error() string { return "the budget for quotes is used up" }

// answer sends {name: value, attestation, proofs} and, where a nonce was given, nonce and extract. The attestation is a fresh
// quote over the exact bytes of the value as they stand in the answer: Eliza's form, without nonce and query, so Teapot's own
// verifier never accepts it. The extract is Teapot's: an Evidence document whose statement holds nonce, query, the SHA-256 of
// the same bytes and the checkpoint.
func (s *routes) answer(w http.ResponseWriter, r *http.Request, a reply) {
	out, err := s.compose(r.Context(), a)
	if busy, ok := errors.AsType[*errBusy](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(busy.wait/time.Second)+1))
		express.Fail(w, http.StatusTooManyRequests, "quotes are made at a limited rate for everybody; try again shortly, or use /v1, which needs none")
		return
	}
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "answering "+r.URL.Path, "error", err)
		express.Fail(w, http.StatusInternalServerError, a.failure)
		return
	}
	express.Raw(w, http.StatusOK, out)
}

func (s *routes) compose(ctx context.Context, a reply) ([]byte, error) {
	body, err := express.Encode(a.value)
	if err != nil {
		return nil, err
	}
	text, err := s.quote(ctx, string(body))
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"`+a.name+`":`), body...)
	for _, m := range []struct {
		name  string
		value any
	}{{"attestation", text}, {"proofs", a.proofs}} {
		if out, err = member(out, m.name, m.value); err != nil {
			return nil, err
		}
	}
	if a.nonce != nil {
		if out, err = s.extract(ctx, out, body, a); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func member(out []byte, name string, value any) ([]byte, error) {
	text, err := express.Encode(value)
	return slices.Concat(out, []byte(`,"`+name+`":`), text), err
}

// extract adds the members that a nonce asks for. There is one checkpoint in an extract statement, so there is one log.
func (s *routes) extract(ctx context.Context, out, body []byte, a reply) ([]byte, error) {
	if s.Process == nil || len(a.proofs) != 1 {
		return nil, errors.New("internal: an extract is of one log of a running process")
	}
	if wait := s.Budget.Take(s.Now()); wait > 0 {
		return nil, &errBusy{wait}
	}
	document, err := s.Process.Extract(ctx, a.nonce, a.query, body, a.proofs[0].Checkpoint)
	if err != nil {
		return nil, err
	}
	if out, err = member(out, "nonce", hex.EncodeToString(a.nonce)); err != nil {
		return nil, err
	}
	return member(out, "extract", json.RawMessage(document))
}

// legacy is plugin-tee's attestation object, in its order.
type legacy struct {
	Quote     string `json:"quote"`
	Timestamp int64  `json:"timestamp"`
}

func (l legacy) text() string {
	b, err := json.Marshal(l)
	if err != nil {
		return "" // a text and a number can always be written
	}
	return string(b)
}

// quote makes Eliza's attestation of a text.
func (s *routes) quote(ctx context.Context, text string) (string, error) {
	if s.Quoter == nil {
		return "", nil
	}
	now := s.Now()
	if wait := s.Budget.Take(now); wait > 0 {
		return "", &errBusy{wait}
	}
	data := evidence.LegacyReportDataTDX(text)
	if s.Quoter.Platform() == "gramine-sgx" {
		data = evidence.LegacyReportDataSGX(text)
	}
	if evidence.Tagged(data[:]) {
		return "", errors.New("the text's hash begins with Teapot's tag; nobody gets such a quote")
	}
	q, err := s.Quoter.Quote(ctx, data)
	if err != nil {
		return "", err
	}
	return legacy{"0x" + hex.EncodeToString(q.Raw), now.UnixMilli()}.text(), nil
}
