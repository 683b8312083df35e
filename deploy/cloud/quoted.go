package cloud

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/deploy/appcompose"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
)

// CompareQuoted compares the compose hash inside a running agent's quote with the bytes that were rendered: what the platform says it
// runs is not evidence, what the registers say is. The quote's own signature is for teapot verify to judge; this only catches another
// app at once. document is the agent's Evidence.
func CompareQuoted(document []byte, app appcompose.App) error {
	e, err := evidence.ParseEvidence(document)
	if err != nil {
		return err
	}
	quote, err := dcap.Parse(e.Quote)
	if err != nil {
		return fmt.Errorf("the agent's quote: %w", err)
	}
	if quote.TD == nil {
		return errors.New("the agent's quote is not of a TDX guest")
	}
	events, err := eventlog.Parse(e.EventLog)
	if err != nil {
		return fmt.Errorf("the agent's event log: %w", err)
	}
	if eventlog.Replay(events)[3] != quote.TD.RTMR[3] {
		return errors.New("the event log does not give the quote's RTMR3: it is not the log of this guest")
	}
	system, err := eventlog.ReadSystem(events)
	if err != nil {
		return fmt.Errorf("the agent's event log: %w", err)
	}
	if !bytes.Equal(system.ComposeHash, app.Hash[:]) {
		return fmt.Errorf("the guest measured compose hash %x, the rendered bytes hash to %s: something else runs there; take it down", system.ComposeHash, app.HashHex())
	}
	return nil
}
