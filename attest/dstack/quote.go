package dstack

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/teapot-tee/teapot/attest"
)

// quoteAnswer is TdxQuoteResponse and GetQuoteResponse.
type quoteAnswer struct {
	Quote    hexBytes `json:"quote"`
	EventLog string   `json:"event_log"`
}

// Quote asks for a quote over exactly these 64 bytes and compares what comes back.
func (c *Client) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	q, err := c.rawQuote(ctx, reportData)
	if err != nil {
		return attest.Quote{}, err
	}
	got, err := reportDataOf(q.Raw)
	if err != nil {
		return attest.Quote{}, fmt.Errorf("guest agent: %w", err)
	}
	if got != reportData {
		return attest.Quote{}, fmt.Errorf("guest agent: the quote carries report data %x, asked for %x: "+
			"this agent is not honest, or is a simulator that makes quotes up", got, reportData)
	}
	return q, nil
}

// rawQuote tries the calls that take raw report data, newest first.
func (c *Client) rawQuote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	data := hex.EncodeToString(reportData[:])
	raw := map[string]string{"report_data": data}
	if c.offer.v0 {
		q, err := c.quoteBy(ctx, "/GetQuote", raw)
		if err == nil || !c.offer.v1 || !missing(err) {
			return q, err
		}
	}
	if c.offer.v1 {
		return c.attestV1(ctx, raw)
	}
	if c.offer.info {
		if q, err := c.quoteBy(ctx, "/prpc/Tappd.RawQuote", raw); err == nil || !missing(err) {
			return q, err
		}
	}
	return c.quoteBy(ctx, "/prpc/Tappd.TdxQuote", map[string]string{"report_data": data, "hash_algorithm": "raw"})
}

// missing reports whether the agent refused because it has no such method: 404, or 400 with the text of 0.4 and 0.5.
func missing(err error) bool {
	refusal, ok := errors.AsType[*AgentError](err)
	return ok && (refusal.Status == http.StatusNotFound || strings.HasPrefix(refusal.Message, "Service not found"))
}

func (c *Client) quoteBy(ctx context.Context, path string, request map[string]string) (attest.Quote, error) {
	var a quoteAnswer
	if err := c.http.call(ctx, path, request, &a, true); err != nil {
		return attest.Quote{}, err
	}
	return a.quote(path)
}

func (a quoteAnswer) quote(path string) (attest.Quote, error) {
	q := attest.Quote{Raw: a.Quote}
	if a.EventLog == "" {
		return q, nil
	}
	if !json.Valid([]byte(a.EventLog)) {
		return q, fmt.Errorf("guest agent: %s: the event log is not JSON", path)
	}
	q.EventLog = json.RawMessage(a.EventLog)
	return q, nil
}

func (c *Client) attestV1(ctx context.Context, request map[string]string) (attest.Quote, error) {
	var a struct{ Attestation hexBytes }
	if err := c.http.call(ctx, "/v1/Attest", request, &a, true); err != nil {
		return attest.Quote{}, err
	}
	q, err := parseAttestationV1(a.Attestation)
	if err != nil {
		return attest.Quote{}, fmt.Errorf("guest agent: /v1/Attest: %w", err)
	}
	return q, nil
}

// reportDataOf reads the report data of a TDX quote: byte 568 in version 4, six bytes later in version 5, whose body has a
// descriptor (Intel TDX DCAP quoting library API, A.3 and A.4).
func reportDataOf(quote []byte) ([64]byte, error) {
	if len(quote) < 638 {
		return [64]byte{}, fmt.Errorf("a TDX quote has more than %d bytes", len(quote))
	}
	version, tee := binary.LittleEndian.Uint16(quote), binary.LittleEndian.Uint32(quote[4:])
	if tee != 0x81 || version != 4 && version != 5 {
		return [64]byte{}, fmt.Errorf("not a TDX quote of version 4 or 5 (version %d, TEE type %#x)", version, tee)
	}
	return [64]byte(quote[568+6*int(version-4):]), nil
}

// EmitEvent extends RTMR3. Agents from 0.6 refuse it.
func (c *Client) EmitEvent(ctx context.Context, name string, payload []byte) error {
	return c.http.call(ctx, "/EmitEvent", map[string]string{"event": name, "payload": hex.EncodeToString(payload)}, nil, false)
}

// hexBytes is a bytes field in JSON: hex, with or without 0x.
type hexBytes []byte

// UnmarshalJSON reads hex.
func (h *hexBytes) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("a bytes field: %w", err)
	}
	decoded, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return fmt.Errorf("a bytes field: %w", err)
	}
	*h = decoded
	return nil
}
