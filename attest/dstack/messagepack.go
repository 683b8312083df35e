package dstack

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/attest"
)

// parseAttestationV1 takes quote and event log out of a versioned attestation: MessagePack, a map with version, platform{kind, data}
// and stack. Upstream's encoder writes byte strings as arrays of numbers or as bin; both are read.
func parseAttestationV1(raw []byte) (attest.Quote, error) {
	value, rest, err := unpack(raw, 0)
	if err != nil {
		return attest.Quote{}, err
	}
	if len(rest) != 0 {
		return attest.Quote{}, fmt.Errorf("%d bytes after the attestation", len(rest))
	}
	top, _ := value.(map[string]any)
	platform, _ := top["platform"].(map[string]any)
	data, _ := platform["data"].(map[string]any)
	if top["version"] != uint64(1) || platform["kind"] != "tdx" {
		return attest.Quote{}, fmt.Errorf("attestation of version %v for platform %v, want version 1 for tdx", top["version"], platform["kind"])
	}
	quote, ok := bytesOf(data["quote"])
	if !ok {
		return attest.Quote{}, errors.New("the attestation has no quote")
	}
	log, err := logOf(data["event_log"])
	return attest.Quote{Raw: quote, EventLog: log}, err
}

func logOf(value any) (json.RawMessage, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, errors.New("the attestation has no event log")
	}
	events := make([]map[string]any, len(list))
	for i, item := range list {
		e, _ := item.(map[string]any)
		digest, okDigest := bytesOf(e["digest"])
		payload, okPayload := bytesOf(e["event_payload"])
		if !okDigest || !okPayload {
			return nil, fmt.Errorf("event %d of the attestation is malformed", i)
		}
		events[i] = map[string]any{
			"imr": e["imr"], "event_type": e["event_type"], "event": e["event"],
			"digest": hex.EncodeToString(digest), "event_payload": hex.EncodeToString(payload),
		}
		if e["version"] == uint64(2) || e["version"] == "V2" {
			events[i]["version"] = 2
		}
	}
	return json.Marshal(events)
}

func bytesOf(value any) ([]byte, bool) {
	switch v := value.(type) {
	case []byte:
		return v, true
	case []any:
		out := make([]byte, len(v))
		for i, item := range v {
			n, ok := item.(uint64)
			if !ok || n > 255 {
				return nil, false
			}
			out[i] = byte(n)
		}
		return out, true
	}
	return nil, false
}

// maxDepth bounds nesting; attestations have five levels.
const maxDepth = 16

var errUnpack = errors.New("the MessagePack data are malformed")

// unpack reads one value: nil, bool, uint64, int64, string, []byte, []any or map[string]any (github.com/msgpack/msgpack spec.md).
func unpack(raw []byte, depth int) (value any, rest []byte, err error) {
	if len(raw) == 0 || depth > maxDepth {
		return nil, nil, errUnpack
	}
	c, raw := raw[0], raw[1:]
	switch {
	case c <= 0x7f:
		return uint64(c), raw, nil
	case c <= 0x8f:
		return unpackMap(raw, int(c&0x0f), depth)
	case c <= 0x9f:
		return unpackArray(raw, int(c&0x0f), depth)
	case c <= 0xbf:
		b, rest, err := cut(raw, int(c&0x1f))
		return string(b), rest, err
	case c >= 0xe0:
		return int64(int8(c)), raw, nil
	case c == 0xc0:
		return nil, raw, nil
	case c == 0xc2 || c == 0xc3:
		return c == 0xc3, raw, nil
	}
	return unpackSized(c, raw, depth)
}

// unpackSized reads the types whose value or length is a big-endian number of 1, 2, 4 or 8 bytes.
func unpackSized(c byte, raw []byte, depth int) (any, []byte, error) {
	widths := map[byte]int{
		0xc4: 1, 0xc5: 2, 0xc6: 4, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4,
	}
	width, known := widths[c]
	head, rest, err := cut(raw, width)
	if !known || err != nil {
		return nil, nil, errUnpack
	}
	n := binary.BigEndian.Uint64(append(make([]byte, 8-width), head...))
	if c >= 0xcc && c <= 0xcf {
		return n, rest, nil
	}
	if n > uint64(len(rest)) { // every element takes at least one byte
		return nil, nil, errUnpack
	}
	switch c {
	case 0xdc, 0xdd:
		return unpackArray(rest, int(n), depth)
	case 0xde, 0xdf:
		return unpackMap(rest, int(n), depth)
	}
	b, rest, err := cut(rest, int(n))
	if c <= 0xc6 {
		return b, rest, err
	}
	return string(b), rest, err
}

func unpackArray(raw []byte, n, depth int) (any, []byte, error) {
	out := make([]any, 0, min(n, len(raw)))
	for range n {
		value, rest, err := unpack(raw, depth+1)
		if err != nil {
			return nil, nil, err
		}
		out, raw = append(out, value), rest
	}
	return out, raw, nil
}

func unpackMap(raw []byte, n, depth int) (any, []byte, error) {
	out := map[string]any{}
	for range n {
		key, rest, err := unpack(raw, depth+1)
		if err != nil {
			return nil, nil, err
		}
		name, ok := key.(string)
		if _, twice := out[name]; !ok || twice {
			return nil, nil, errUnpack
		}
		if out[name], raw, err = unpack(rest, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return out, raw, nil
}

func cut(raw []byte, n int) (head, rest []byte, err error) {
	if n > len(raw) {
		return nil, nil, errUnpack
	}
	return raw[:n], raw[n:], nil
}
