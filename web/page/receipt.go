package page

import (
	"encoding/json"
	"fmt"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// Receipt judges a receipt and compares its texts with what the reader sent and what stands on the reader's screen:
// a receipt for another conversation is genuine and proves nothing here.
func (p *Page) Receipt(file []byte, o Options) (*verify.Result, error) {
	r, err := p.Appraise([][]byte{file}, o)
	if err != nil {
		return nil, err
	}
	receipt, err := tlog.ParseReceipt(file)
	if err != nil {
		return nil, err
	}
	for _, shown := range []struct {
		kind string
		text *string
	}{{"message", o.Message}, {"reply", o.Reply}} {
		if shown.text == nil {
			continue
		}
		c := sameText(receipt, shown.kind, *shown.text)
		r.Checks = append(r.Checks, c)
		if c.Outcome == appraisal.Failed {
			r.Tier, r.Exit, r.Headline = appraisal.Contraindicated, 1, simulated(r)+"CONTRADICTED at entries: "+c.Detail
		}
	}
	return r, nil
}

// simulated begins the headline of whatever has no hardware behind it.
func simulated(r *verify.Result) string {
	if r.Simulated {
		return "SIMULATED, "
	}
	return ""
}

// sameText compares the recorded text of the first entry of a type with the one on the screen.
func sameText(r *tlog.Receipt, kind, screen string) appraisal.Check {
	c := appraisal.Check{ID: "entries.screen_" + kind, Link: "entries", Source: "this page"}
	recorded, found := recordedText(r, kind)
	switch {
	case !found:
		c.Outcome, c.Detail = appraisal.Failed, "the receipt does not show the "+kind
		c.Fault, c.Remedy = "host", "ask for the receipt's file form again"
	case recorded == screen:
		c.Outcome, c.Detail = appraisal.Passed, fmt.Sprintf("the recorded %s is the one on this screen", kind)
	default:
		c.Outcome, c.Got, c.Want = appraisal.Failed, clip(recorded), clip(screen)
		c.Detail = fmt.Sprintf("the recorded %s is not the one on this screen", kind)
		c.Fault, c.Remedy = "host", "what you read was not what was recorded: keep receipt and screen"
	}
	return c
}

func recordedText(r *tlog.Receipt, kind string) (string, bool) {
	for _, e := range r.Entries {
		if l, err := tlog.DecodeLeaf(e.Leaf); err == nil && l.Type == kind && e.Content != nil {
			return textOf(e.Content), true
		}
	}
	return "", false
}

// textOf is the text of a content: Eliza's content objects carry it as a member, everything else is the text.
func textOf(content []byte) string {
	var object struct {
		Text *string `json:"text"`
	}
	if json.Unmarshal(content, &object) == nil && object.Text != nil {
		return *object.Text
	}
	return string(content)
}

func clip(s string) string {
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return s
}
