package sim

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/eventlog"
)

// Limits on what a caller of EmitEvent can make every later quote carry.
const (
	maxEvents  = 4096
	maxPayload = 64 << 10
)

// machine is the simulated guest: its identity, registers and event log.
type machine struct {
	appCompose []byte
	compose    eventlog.AppCompose
	hash       [32]byte
	appID      [20]byte
	instance   []byte // 20 bytes, or none
	enclave    pki.EnclaveReport

	mu     sync.Mutex
	events []eventlog.Event   // guarded by mu, append only
	rtmr   eventlog.Registers // guarded by mu, always the replay of events
	json   json.RawMessage    // guarded by mu, events as JSON; nil when events have grown
}

func newMachine(appCompose, instanceSeed []byte) (*machine, error) {
	compose, err := eventlog.ParseAppCompose(appCompose)
	if err != nil {
		return nil, err
	}
	m := &machine{appCompose: appCompose, compose: *compose, hash: eventlog.ComposeHash(appCompose)}
	m.appID = eventlog.AppID(m.hash)
	if !compose.NoInstanceID {
		id := eventlog.InstanceID(instanceSeed, m.appID)
		m.instance = id[:]
	}
	m.events = append(firmwareEvents(), m.bootEvents()...)
	m.rtmr = eventlog.Replay(m.events)
	m.enclave = pki.EnclaveReport{MREnclave: sha256.Sum256(append([]byte("TEAPOT-SIMULATED mrenclave "), m.hash[:]...)), MRSigner: sha256.Sum256([]byte("TEAPOT-SIMULATED mrsigner"))}
	return m, nil
}

// KeyProvider is the payload of the simulator's key-provider event.
const KeyProvider = `{"name":"none","id":""}`

// bootEvents are dstack 0.5's, in its order.
func (m *machine) bootEvents() []eventlog.Event {
	return []eventlog.Event{
		eventlog.NewRuntime("system-preparing", nil),
		eventlog.NewRuntime("app-id", m.appID[:]),
		eventlog.NewRuntime("compose-hash", m.hash[:]),
		eventlog.NewRuntime("instance-id", m.instance),
		eventlog.NewRuntime("boot-mr-done", nil),
		eventlog.NewRuntime("key-provider", []byte(KeyProvider)),
		eventlog.NewRuntime("storage-fs", []byte("ext4")),
		eventlog.NewRuntime("system-ready", nil),
	}
}

// firmwareEvents have the shape of a real guest's measured boot; their digests hash a text that says what they are.
func firmwareEvents() []eventlog.Event {
	var out []eventlog.Event
	for _, e := range []struct {
		imr, typ uint32
		what     string
	}{
		{0, 0x8000000b, "TDX handoff table"},
		{0, 0x8000000a, "firmware blob"},
		{0, 0x80000001, "SecureBoot"},
		{0, 4, "separator"},
		{1, 0x80000003, "kernel"},
		{1, 0x80000007, "Exit Boot Services Invocation"},
		{2, 6, "kernel command line"},
		{2, 6, "initrd"},
	} {
		out = append(out, eventlog.Event{IMR: e.imr, Type: e.typ, Digest: simulatedDigest(e.what), Version: 1})
	}
	return out
}

func simulatedDigest(what string) [48]byte { return sha512.Sum384([]byte("TEAPOT-SIMULATED " + what)) }

// Measures are the registers of a simulated TD at its start, for an app-compose file and an instance id (20 bytes or none):
// what teapot measure prints.
func Measures(appCompose, instanceID []byte) (eventlog.Measures, error) {
	m, err := newMachine(appCompose, nil)
	if err != nil {
		return eventlog.Measures{}, err
	}
	m.instance = instanceID
	return m.measures(eventlog.Replay(append(firmwareEvents(), m.bootEvents()...))), nil
}

func (m *machine) measures(rtmr eventlog.Registers) eventlog.Measures {
	return eventlog.Measures{MRTD: simulatedDigest("TD"), RTMR: rtmr, MRConfigID: eventlog.ConfigIDV1(m.hash)}
}

func (m *machine) report(rtmr eventlog.Registers) pki.TDReport {
	measures := m.measures(rtmr)
	return pki.TDReport{
		MRSeam: simulatedDigest("TDX module"), TDAttributes: [8]byte{3: 0x10}, // SEPT_VE_DISABLE, as every real guest
		MRTD: measures.MRTD, MRConfigID: measures.MRConfigID, RTMR: measures.RTMR,
	}
}

// snapshot returns registers and log of one moment.
func (m *machine) snapshot() (eventlog.Registers, json.RawMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.json == nil {
		raw, err := eventlog.Marshal(m.events)
		if err != nil {
			return eventlog.Registers{}, nil, err
		}
		m.json = raw
	}
	return m.rtmr, slices.Clip(m.json), nil
}

func (m *machine) emit(name string, payload []byte) error {
	if len(payload) > maxPayload || len(name) > 256 {
		return fmt.Errorf("event %.40q: payload of %d bytes and name of %d, at most %d and 256", name, len(payload), len(name), maxPayload)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.events) >= maxEvents {
		return fmt.Errorf("event %.40q: the log is full (%d events)", name, maxEvents)
	}
	e := eventlog.NewRuntime(name, slices.Clone(payload))
	m.events = append(m.events, e)
	m.rtmr.Extend(e.IMR, e.Digest)
	m.json = nil
	return nil
}
