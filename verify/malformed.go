package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/bundle"
)

// What was received whole and still cannot be read contradicts whoever made it: a failed check, exit 1. What ends too early,
// or broke off on the way, was not received: no verdict, exit 2 (docs/verdict.md, "Damaged, cut off, unreachable").

// malformed judges a document that could not be read.
func (a *appraiser) malformed(name string, document []byte, err error) error {
	if breaksOff(document) {
		return fmt.Errorf("the %s evidence ends in the middle; it was not received or written completely: %w", name, err)
	}
	a.badStatement(name, err)
	return nil
}

// malformedLog judges a bundle that could not be read to its end.
func (a *appraiser) malformedLog(label string, err error) error {
	var bad *bundle.MalformedError
	if !errors.As(err, &bad) {
		return err
	}
	a.brokenLog(label, err)
	return nil
}

// brokenLog: the parts of the bundle do not fit each other.
func (a *appraiser) brokenLog(label string, err error) {
	a.add(appraisal.Check{
		ID: "consistency.root", Outcome: appraisal.Failed, Detail: label + "the bundle is malformed: " + err.Error(),
		Fault: "host", Remedy: "ask for the bundle again; do not rely on this one",
	})
}

// damaged: every record of the bundle could be read, so the checks say what the damage is, if it matters to them.
func (a *appraiser) damaged(label string) {
	a.add(appraisal.Check{
		ID: "consistency.checksum", Outcome: appraisal.Failed, Detail: label + "the checksum at the bundle's end does not fit: it was damaged or edited after it was made",
		Fault: "network", Remedy: "get the bundle again from where it was made; if it stays, whoever hands it out edited it: do not rely on it",
	})
}

// breaksOff says whether JSON ends before it is complete.
func breaksOff(document []byte) bool {
	var whole json.RawMessage
	err := json.NewDecoder(bytes.NewReader(document)).Decode(&whole)
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
