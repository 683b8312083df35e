// Package eventlog replays what a TDX guest extended into its registers and reads what the events say: dstack's JSON log and
// runtime events, the firmware's CCEL log, and the app-compose file whose hash the log carries.
//
// A log is a claim by whoever hands it over. It counts only when its replay gives exactly the registers of a quote that
// package dcap accepted; the functions that judge take those registers as an argument. Pure: no I/O, no clock.
//
// Formats: docs/formats/eventlog.md.
package eventlog

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// RuntimeType is the event type of dstack's runtime events, all in register 3.
const RuntimeType = 0x08000001

// Limits of a log. Real ones have 25 to 60 events before the application's own.
const (
	maxLog    = 16 << 20
	maxEvents = 100_000
)

// Event is one entry of a log.
type Event struct {
	IMR      uint32   // register, 0 to 3
	Type     uint32   // TCG event type, or RuntimeType
	Digest   [48]byte // what the register was extended with
	Name     string   // of a runtime event; empty otherwise
	Payload  []byte
	Version  uint32 // 1, or 2 for dstack 0.6 events with a JSON preimage
	Stripped bool   // the log carried no digest, it was computed from name and payload
}

// wire is dstack's JSON of an event (GetQuote.event_log, tcb_info.event_log).
type wire struct {
	IMR      *uint32 `json:"imr"`
	Type     *uint32 `json:"event_type"`
	Digest   *string `json:"digest"`
	Name     string  `json:"event"`
	Payload  string  `json:"event_payload"`
	Version  uint32  `json:"version,omitempty"`
	Preimage string  `json:"preimage,omitempty"`
}

// Parse reads dstack's JSON array. The digest of a runtime event is computed, never believed: where the log has one it must
// be the same (dstack 0.5.6 and later send none).
func Parse(raw []byte) ([]Event, error) {
	if len(raw) > maxLog {
		return nil, fmt.Errorf("reading the event log: %d bytes, more than %d", len(raw), maxLog)
	}
	var list []wire
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("reading the event log: %w", err)
	}
	if strings.TrimSpace(string(raw[dec.InputOffset():])) != "" {
		return nil, fmt.Errorf("reading the event log: trailing bytes at %d", dec.InputOffset())
	}
	if len(list) > maxEvents {
		return nil, fmt.Errorf("reading the event log: %d events, more than %d", len(list), maxEvents)
	}
	events := make([]Event, len(list))
	for i, w := range list {
		var err error
		if events[i], err = w.event(); err != nil {
			return nil, fmt.Errorf("reading the event log: event %d (%q): %w", i, w.Name, err)
		}
	}
	return events, nil
}

func (w wire) event() (Event, error) {
	if w.IMR == nil || w.Type == nil || w.Digest == nil || *w.IMR > 3 {
		return Event{}, fmt.Errorf("imr (0 to 3), event_type or digest is missing")
	}
	payload, err := hex.DecodeString(w.Payload)
	if err != nil {
		return Event{}, fmt.Errorf("event_payload: %w", err)
	}
	e := Event{IMR: *w.IMR, Type: *w.Type, Name: w.Name, Payload: payload, Version: max(w.Version, 1)}
	digest, err := hex.DecodeString(*w.Digest)
	if err != nil || len(digest) != 48 && len(digest) != 0 {
		return Event{}, fmt.Errorf("digest of %d characters, want 96 hex digits", len(*w.Digest))
	}
	copy(e.Digest[:], digest)
	if e.Type == RuntimeType {
		return e, e.setDigest(digest, w.Preimage)
	}
	if len(digest) == 0 || e.Version != 1 || w.Preimage != "" || w.Name != "" {
		// A name here would be bound by nothing: the host could call a firmware event compose-hash.
		return Event{}, fmt.Errorf("a firmware event needs its digest and has neither name, version nor preimage")
	}
	return e, nil
}

// setDigest computes a runtime event's digest and compares what the log said.
func (e *Event) setDigest(said []byte, preimage string) error {
	if e.IMR != 3 {
		return fmt.Errorf("runtime event in register %d", e.IMR)
	}
	switch e.Version {
	case 1:
		e.Digest = DigestV1(e.Name, e.Payload)
	case 2:
		e.Digest = DigestV2(e.Name, e.Payload)
	default:
		return fmt.Errorf("unknown version %d", e.Version)
	}
	if preimage != "" && (e.Version != 2 || preimage != hex.EncodeToString(preimageV2(e.Name, e.Payload))) {
		return fmt.Errorf("preimage is not that of name and payload")
	}
	if e.Stripped = len(said) == 0; !e.Stripped && !bytes.Equal(said, e.Digest[:]) {
		return fmt.Errorf("digest %x, name and payload give %x", said, e.Digest)
	}
	return nil
}

// DigestV1 is SHA-384 of event type (4 bytes little-endian), ":", name, ":", payload.
func DigestV1(name string, payload []byte) [48]byte {
	b := binary.LittleEndian.AppendUint32(nil, RuntimeType)
	b = append(append(append(b, ':'), name...), ':')
	return sha512.Sum384(append(b, payload...))
}

// DigestV2 is SHA-384 of the canonical JSON (RFC 8785) of name, payload and type.
func DigestV2(name string, payload []byte) [48]byte { return sha512.Sum384(preimageV2(name, payload)) }

func preimageV2(name string, payload []byte) []byte {
	return fmt.Appendf(nil, `{"name":%s,"payload":"%x","type":%d}`, canonicalString(name), payload, RuntimeType)
}

// canonicalString quotes as RFC 8785 §3.2.2.2.
func canonicalString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch short := strings.IndexRune("\b\t\n\f\r", r); {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case short >= 0:
			b.WriteString(`\` + "btnfr"[short:short+1])
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// NewRuntime is a runtime event of version 1.
func NewRuntime(name string, payload []byte) Event {
	return Event{IMR: 3, Type: RuntimeType, Digest: DigestV1(name, payload), Name: name, Payload: payload, Version: 1}
}

// Marshal writes dstack's JSON array, always with digests, so that every client's replay works.
func Marshal(events []Event) ([]byte, error) {
	list := make([]wire, len(events))
	for i, e := range events {
		digest := hex.EncodeToString(e.Digest[:])
		list[i] = wire{IMR: &e.IMR, Type: &e.Type, Digest: &digest, Name: e.Name, Payload: hex.EncodeToString(e.Payload)}
		if e.Version == 2 {
			list[i].Version, list[i].Preimage = 2, hex.EncodeToString(preimageV2(e.Name, e.Payload))
		}
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("writing the event log: %w", err)
	}
	return raw, nil
}

// Registers are RTMR0 to RTMR3.
type Registers [4][48]byte

// Extend is SHA-384(register ‖ digest).
func (r *Registers) Extend(imr uint32, digest [48]byte) {
	r[imr] = sha512.Sum384(append(r[imr][:], digest[:]...))
}

// Replay extends four zero registers with the events in order.
func Replay(events []Event) (r Registers) {
	for _, e := range events {
		r.Extend(e.IMR, e.Digest)
	}
	return r
}
