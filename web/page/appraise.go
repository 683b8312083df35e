package page

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/verify"
)

// Appraise judges files by content: a bundle, receipt, evidence, fork or quote; collateral may lie in a file of its own.
func (p *Page) Appraise(files [][]byte, o Options) (*verify.Result, error) {
	if len(files) == 0 {
		return nil, errors.New("nothing to judge")
	}
	policy, err := o.policy()
	if err != nil {
		return nil, err
	}
	in, err := o.input()
	if err != nil {
		return nil, err
	}
	in.Verifier = &p.verifier
	if p.Progress != nil {
		in.Progress = func(_ string, done, total uint64) { p.Progress(done, total) }
	}
	if err := fill(&in, files); err != nil {
		return nil, err
	}
	r, err := verify.Appraise(in, policy, o.At)
	return &r, err
}

// fill sorts the files: the first one that is more than a quote, else the first quote; collateral may lie in a file beside it.
func fill(in *verify.Input, files [][]byte) error {
	if c := beside(files); len(c) > 0 {
		in.Collateral = func(quote []byte) (json.RawMessage, error) { return fitting(c, quote), nil }
	}
	var refused error
	for _, f := range files {
		k, err := verify.Recognise(f[:min(len(f), verify.HeadSize)])
		switch {
		case err != nil:
			refused = err
		case k == verify.KindBundle:
			in.Kind, in.Log = k, bytes.NewReader(f)
			return nil
		case k != verify.KindQuote:
			in.Kind, in.File = k, f
			return nil
		}
	}
	m, err := open(files)
	if err != nil {
		if refused != nil {
			return fmt.Errorf("%w: %w", err, refused)
		}
		return err
	}
	if len(m.collateral) == 0 {
		if len(dcap.Describe(m.quote).Problems) == 0 {
			return ErrNoCollateral
		}
		m.collateral = json.RawMessage("{}") // its form alone shows that it is not genuine: let the verifier say where
	}
	in.Kind, in.File = verify.KindQuote, m.quote
	in.Collateral = func([]byte) (json.RawMessage, error) { return m.collateral, nil }
	return nil
}

// beside finds collateral in a file of its own.
func beside(files [][]byte) json.RawMessage {
	m := new(material)
	for _, f := range files {
		if text := bytes.TrimSpace(f); len(text) > 0 && text[0] == '{' && bundle.Detect(text) == bundle.FormUnknown {
			m.json(text)
		}
	}
	return m.collateral
}

// fitting keeps collateral of one kind of platform from being held against another's quote: a log may have starts on several.
// What does not say is left to the verifier.
func fitting(collateral json.RawMessage, quote []byte) json.RawMessage {
	q, errQuote := dcap.Parse(quote)
	c, errCollateral := dcap.ParseCollateral(collateral)
	if errQuote != nil || errCollateral != nil {
		return collateral
	}
	var info struct {
		FMSPC string `json:"fmspc"`
	}
	n, err := q.Needs(nil)
	if err == nil && n.PCK == nil && json.Unmarshal([]byte(c.TCBInfo), &info) == nil && !strings.EqualFold(info.FMSPC, hex.EncodeToString(n.FMSPC[:])) {
		return nil
	}
	return collateral
}

// ErrNoCollateral: a quote that may well be genuine, without the documents that tell.
var ErrNoCollateral = errors.New("this quote is well-formed, but Intel's documents about its platform (TCB info, identities, revocation lists) are missing: " +
	"fetch them with `teapot quote collateral FILE -o collateral.json` and drop both files here, or drop the evidence that holds both")
