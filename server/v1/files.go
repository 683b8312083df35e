package v1

import (
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/server/problem"
	"github.com/teapot-tee/teapot/tlog"
)

// bundle streams the portable file. An error after the first byte breaks the connection: a cut bundle is noticed.
func (s Logs) bundle(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	v := s.viewer(r)
	if !s.mayName(w, r, l, v) {
		return
	}
	e, bad := extract(r, v)
	if bad != "" {
		badParameter(w, bad)
		return
	}
	if len(e.Nonce) > 0 && s.Session != nil {
		session, err := s.Session(r, e.Nonce)
		if err != nil {
			problem.Write(w, http.StatusServiceUnavailable, "no session evidence", err.Error(), "try again shortly, or ask without a nonce")
			return
		}
		e.Session = session
	}
	out := &late{w: w, head: func(h http.Header) {
		h.Set("Content-Type", "application/vnd.teapot.bundle")
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", l.Agent()+".teapot"))
		h.Set("Cache-Control", "no-store")
	}}
	if err := l.Bundle(r.Context(), out, e); err != nil {
		if out.begun {
			panic(http.ErrAbortHandler)
		}
		refuse(w, err)
	}
}

func extract(r *http.Request, v actionlog.Viewer) (e actionlog.Extract, bad string) {
	p := params{Values: r.URL.Query()}
	e = actionlog.Extract{
		Window: tlog.Window{From: p.number("from"), To: p.number("to"), Types: p.types()},
		Room:   p.Get("room"), User: p.Get("user"), RoomName: p.pseudonym("room_pseudonym"), UserName: p.pseudonym("user_pseudonym"),
		Contents: p.oneOf("contents", "", "0", "1") != "0", Base: p.number("base"), Viewer: v,
	}
	if t := p.time("since"); !t.IsZero() {
		e.Window.Since = uint64(t.UnixMicro())
	}
	if t := p.time("until"); !t.IsZero() {
		e.Window.Until = uint64(t.UnixMicro())
	}
	var err error
	if e.Nonce, err = hex.DecodeString(p.Get("nonce")); err != nil || len(e.Nonce) > 64 {
		p.fail("nonce", "hex of at most 64 bytes")
	}
	return e, p.bad
}

// late sets headers only when the first byte comes, so that an error before it is a proper answer.
type late struct {
	w     http.ResponseWriter
	head  func(http.Header)
	begun bool
}

func (l *late) Write(b []byte) (int, error) {
	if !l.begun {
		l.head(l.w.Header())
		l.begun = true
	}
	return l.w.Write(b)
}

// receipt serves the file form. Salts, real ids and texts need the token or the salt of this entry.
func (s Logs) receipt(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	i, ok := index(w, r)
	if !ok {
		return
	}
	secret, _ := hex.DecodeString(r.Header.Get(ReceiptSecretHeader)) // a malformed secret is a wrong one
	open := s.Token.Authorized(r) || l.HoldsReceipt(i, secret)
	entries, err := l.Exchange(i)
	if err != nil {
		refuse(w, err)
		return
	}
	receipt, err := l.Receipt(entries, open, true)
	if err != nil {
		refuse(w, err)
		return
	}
	b, err := receipt.Marshal()
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.teapot.receipt+json")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=\"receipt-%d.json\"", i))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b)
}

func (s Logs) proofFile(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	i, ok := index(w, r)
	if !ok {
		return
	}
	p, err := l.Prove(i)
	if err != nil {
		refuse(w, err)
		return
	}
	file := tlog.ProofFile{Index: i, Path: p.Path, Checkpoint: p.Checkpoint}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(file.Marshal())
}

func (s Logs) scittReceipt(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	s.scitt(w, r, l, "application/scitt-receipt+cose", func(_, receipt []byte) ([]byte, error) { return receipt, nil })
}

func (s Logs) scittStatement(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	s.scitt(w, r, l, "application/scitt-statement+cose", tlog.AttachReceipt)
}

func (s Logs) scitt(w http.ResponseWriter, r *http.Request, l *actionlog.Log, media string, f func(leaf, receipt []byte) ([]byte, error)) {
	i, ok := index(w, r)
	if !ok {
		return
	}
	leaf, receipt, err := l.SCITTReceipt(i)
	if err == nil {
		receipt, err = f(leaf, receipt)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", media)
	_, _ = w.Write(receipt)
}
