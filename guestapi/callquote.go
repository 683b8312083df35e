package guestapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/eventlog"
)

// tdxQuote hashes the caller's data under its prefix, "app-data" when it names none.
func (s *Server) tdxQuote(ctx context.Context, q *tdxQuoteRequest) (any, error) {
	if err := s.Policy.reportPrefix(q.Prefix); err != nil {
		return nil, err
	}
	reportData, algorithm, err := hashedReportData(q.ReportData, q.HashAlgorithm, q.Prefix)
	if err != nil {
		return nil, err
	}
	prefix := q.Prefix
	switch {
	case algorithm == "raw":
		prefix = ""
	case prefix == "":
		prefix = appDataPrefix
	}
	return s.tdxQuoteReply(ctx, reportData, algorithm, prefix)
}

// rawQuote is TdxQuote with hash_algorithm raw.
func (s *Server) rawQuote(ctx context.Context, q *reportDataRequest) (any, error) {
	reportData, algorithm, err := hashedReportData(q.ReportData, "raw", "")
	if err != nil {
		return nil, err
	}
	return s.tdxQuoteReply(ctx, reportData, algorithm, "")
}

func (s *Server) tdxQuoteReply(ctx context.Context, reportData [64]byte, algorithm, prefix string) (any, error) {
	q, err := s.quote(ctx, reportData)
	if err != nil {
		return nil, err
	}
	return &tdxQuoteReply{Quote: q.Raw, EventLog: string(logText(q)), HashAlgorithm: algorithm, Prefix: prefix}, nil
}

func (s *Server) getQuote(ctx context.Context, q *reportDataRequest) (any, error) {
	reportData, err := paddedReportData(q.ReportData)
	if err != nil {
		return nil, err
	}
	return s.getQuoteReply(ctx, reportData)
}

func (s *Server) getQuoteReply(ctx context.Context, reportData [64]byte) (any, error) {
	who, err := s.identity(ctx)
	if err != nil {
		return nil, err
	}
	q, err := s.quote(ctx, reportData)
	if err != nil {
		return nil, err
	}
	return &getQuoteReply{Quote: q.Raw, EventLog: string(logText(q)), ReportData: reportData[:], VMConfig: who.vmConfig}, nil
}

func (s *Server) attest(ctx context.Context, q *reportDataRequest) (any, error) {
	a, err := s.attestation(ctx, q.ReportData)
	if err != nil {
		return nil, err
	}
	return &attestReply{Attestation: a.scale()}, nil
}

func (s *Server) attestV1(ctx context.Context, q *attestV1Request) (any, error) {
	a, err := s.attestation(ctx, q.ReportData)
	if err != nil {
		return nil, err
	}
	return &attestV1Reply{Attestation: a.messagePack(), BoottimeGPU: []gpuEvidence{}}, nil
}

func (s *Server) attestation(ctx context.Context, data []byte) (attestation, error) {
	reportData, err := paddedReportData(data)
	if err != nil {
		return attestation{}, err
	}
	who, err := s.identity(ctx)
	if err != nil {
		return attestation{}, err
	}
	q, err := s.quote(ctx, reportData)
	if err != nil {
		return attestation{}, err
	}
	return newAttestation(q.Raw, q.EventLog, reportData, who.vmConfig)
}

func (s *Server) attestGPU(_ context.Context, q *attestGPURequest) (any, error) {
	if len(q.Nonce) != 32 {
		return nil, fmt.Errorf("nonce has %d bytes, want 32", len(q.Nonce))
	}
	return nil, errors.New("this guest has no GPU that could attest")
}

// attestAppKey quotes the public key that Sign uses, as ASCII report data (dstack's dip1).
func (s *Server) attestAppKey(ctx context.Context, q *algorithmRequest) (any, error) {
	key, err := s.signingKey(ctx, q.Algorithm)
	if err != nil {
		return nil, err
	}
	name := "secp256k1c-pk"
	if q.Algorithm == "ed25519" {
		name = "ed25519-pk"
	}
	reportData, err := paddedReportData([]byte("dip1::" + name + ":" + base64.RawURLEncoding.EncodeToString(key.Public)))
	if err != nil {
		return nil, err
	}
	return s.getQuoteReply(ctx, reportData)
}

func (s *Server) emitEvent(ctx context.Context, q *emitEventRequest) (any, error) {
	emitter, ok := s.Attester.(attest.EventEmitter)
	if !ok {
		return nil, errors.New("EmitEvent is not supported on this platform: runtime events of RTMR3 are owned by the system")
	}
	if err := emitter.EmitEvent(ctx, q.Event, q.Payload); err != nil {
		return nil, fmt.Errorf("emitting the event: %w", err)
	}
	return nil, nil //nolint:nilnil // google.protobuf.Empty: JSON null
}

// logText is the event log as clients expect it: JSON text of an array, also where the platform has no log.
func logText(q attest.Quote) []byte {
	if len(q.EventLog) == 0 {
		return []byte("[]")
	}
	return q.EventLog
}

// withLog makes the log one that every released SDK can replay: the digests of runtime events are filled in (agents since 0.5.6
// leave them out, dstack PR 448), and a plain TDX guest's firmware log is put into dstack's form before its runtime events.
func withLog(q attest.Quote) (attest.Quote, error) {
	if len(q.CCEL) == 0 && !bytes.Contains(q.EventLog, []byte(`"digest":""`)) {
		return q, nil
	}
	var events []eventlog.Event
	if len(q.CCEL) > 0 {
		firmware, err := eventlog.ParseCCEL(q.CCEL)
		if err != nil {
			return q, err
		}
		events = firmware
	}
	if len(q.EventLog) > 0 {
		runtime, err := eventlog.Parse(q.EventLog)
		if err != nil {
			return q, err
		}
		events = append(events, runtime...)
	}
	log, err := eventlog.Marshal(events)
	q.EventLog = log
	return q, err
}
