package guestapi

import (
	"encoding/binary"
	"encoding/json"

	"github.com/teapot-tee/teapot/eventlog"
)

// attestation is what Attest answers: a quote, its log and the VM configuration.
type attestation struct {
	quote      []byte
	events     []eventlog.Event
	reportData [64]byte
	config     string
}

func newAttestation(quote []byte, log json.RawMessage, reportData [64]byte, config string) (attestation, error) {
	a := attestation{quote: quote, reportData: reportData, config: config}
	if len(log) == 0 {
		return a, nil
	}
	var err error
	a.events, err = eventlog.Parse(log)
	return a, err
}

// scale is the V0 format of real 0.5.9 to 0.5.11 agents: SCALE, first byte 0, DstackTdx.
func (a attestation) scale() []byte {
	out := []byte{0, 0}
	out = scaleBytes(out, a.quote)
	out = scaleLength(out, len(a.events))
	for _, e := range a.events {
		out = binary.LittleEndian.AppendUint32(out, e.IMR)
		out = binary.LittleEndian.AppendUint32(out, e.Type)
		out = scaleBytes(out, e.Digest[:])
		out = scaleBytes(out, []byte(e.Name))
		out = scaleBytes(out, e.Payload)
	}
	runtime := a.runtime()
	out = scaleLength(out, len(runtime))
	for _, e := range runtime {
		out = scaleBytes(out, []byte(e.Name))
		out = scaleBytes(out, e.Payload)
	}
	out = append(out, a.reportData[:]...)
	return scaleBytes(out, []byte(a.config))
}

// messagePack is the V1 format of 0.6: named MessagePack maps. Upstream's encoder writes quote and report data as arrays of
// numbers and the bytes of events as bin; its decoder insists on the arrays.
func (a attestation) messagePack() []byte {
	out := packMap(nil, 3)
	out = append(packString(out, "version"), 1)
	out = packMap(packString(out, "platform"), 2)
	out = packString(packString(out, "kind"), "tdx")
	out = packMap(packString(out, "data"), 2)
	out = packNumbers(packString(out, "quote"), a.quote)
	out = a.packEvents(packString(out, "event_log"))
	out = packMap(packString(out, "stack"), 2)
	out = packString(packString(out, "kind"), "dstack")
	out = packMap(packString(out, "data"), 3)
	out = packNumbers(packString(out, "report_data"), a.reportData[:])
	out = a.packRuntime(packString(out, "runtime_events"))
	return packString(packString(out, "config"), a.config)
}

func (a attestation) packEvents(out []byte) []byte {
	out = packArray(out, len(a.events))
	for _, e := range a.events {
		out = packMap(out, 5)
		out = packUint32(packString(out, "imr"), e.IMR)
		out = packUint32(packString(out, "event_type"), e.Type)
		out = packBytes(packString(out, "digest"), e.Digest[:])
		out = packString(packString(out, "event"), e.Name)
		out = packBytes(packString(out, "event_payload"), e.Payload)
	}
	return out
}

func (a attestation) packRuntime(out []byte) []byte {
	runtime := a.runtime()
	out = packArray(out, len(runtime))
	for _, e := range runtime {
		out = packMap(out, 2)
		out = packString(packString(out, "event"), e.Name)
		out = packBytes(packString(out, "payload"), e.Payload)
	}
	return out
}

func (a attestation) runtime() []eventlog.Event {
	var out []eventlog.Event
	for _, e := range a.events {
		if e.Type == eventlog.RuntimeType {
			out = append(out, e)
		}
	}
	return out
}

func scaleBytes(out, b []byte) []byte { return append(scaleLength(out, len(b)), b...) }

// scaleLength is SCALE's compact integer: the low two bits say how many bytes follow.
func scaleLength(out []byte, n int) []byte {
	switch {
	case n < 1<<6:
		return append(out, byte(n<<2))
	case n < 1<<14:
		return binary.LittleEndian.AppendUint16(out, uint16(n<<2|1))
	default: // 2^30 and more cannot occur: bodies are limited to 10 MiB
		return binary.LittleEndian.AppendUint32(out, uint32(n<<2|2))
	}
}

func packMap(out []byte, n int) []byte { return append(out, 0x80|byte(n)) }

func packArray(out []byte, n int) []byte {
	if n < 16 {
		return append(out, 0x90|byte(n))
	}
	return binary.BigEndian.AppendUint32(append(out, 0xdd), uint32(n))
}

func packUint32(out []byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(out, 0xce), n)
}

func packNumbers(out, b []byte) []byte {
	out = packArray(out, len(b))
	for _, c := range b {
		if c > 0x7f {
			out = append(out, 0xcc)
		}
		out = append(out, c)
	}
	return out
}

func packString(out []byte, s string) []byte {
	if len(s) < 32 {
		return append(append(out, 0xa0|byte(len(s))), s...)
	}
	return append(binary.BigEndian.AppendUint32(append(out, 0xdb), uint32(len(s))), s...)
}

func packBytes(out, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(out, 0xc6), uint32(len(b))), b...)
}
