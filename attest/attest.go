// Package attest says what Teapot wants from a trusted execution environment: quotes over report data it chooses, keys that
// only this code gets, and what it was started with. Back ends live in attest/dstack, attest/gramine, attest/tsm and
// attest/sim; attest/detect chooses one.
//
// An Attester trusts the platform it runs on, which is the point; a reader trusts none of it and appraises the quote
// (package verify). Nothing here decides whether a platform is genuine: whatever its name, the root of the quote's
// certificate chain does.
package attest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/teapot-tee/teapot/evidence"
)

// Attester is one platform. Implementations are safe for concurrent use and serialise what the platform cannot do at once.
type Attester interface {
	// Platform is one of evidence.Platforms.
	Platform() string
	// Quote returns a fresh quote whose report data are exactly these 64 bytes; the implementation has compared them.
	Quote(ctx context.Context, reportData [64]byte) (Quote, error)
	// Info says what the platform was started with.
	Info(ctx context.Context) (Info, error)
	// Key derives the key of a path (keys.Path); the same path gives the same key wherever Custody says so.
	Key(ctx context.Context, path string) (Key, error)
	// Custody says who else could derive what Key returns.
	Custody() evidence.Custody
	// Derivation names API, KDF and path version. The data directory records it: it never changes silently.
	Derivation() string
	Close() error
}

// Quote is a quote with the logs whose replay gives its registers.
type Quote struct {
	Raw      []byte
	EventLog json.RawMessage // dstack's JSON array; nil elsewhere
	CCEL     []byte          // TCG2 log of a plain TDX guest; nil elsewhere
}

// Info is what a platform says about itself. Hex is lower case without 0x. Empty means the platform does not say.
type Info struct {
	Version       string // of the platform's software, e.g. "0.5.7"
	AppID         string // hex, 20 bytes
	InstanceID    string // hex, 20 bytes
	AppName       string
	AppCompose    []byte // exact bytes
	ComposeHash   string // hex, 32 bytes
	OSImageHash   string // hex, 32 bytes
	DeviceID      string // hex, 32 bytes
	MRAggregated  string // hex, 32 bytes
	KeyProvider   string // JSON text {"name":…,"id":…}
	VMConfig      string // JSON text
	CloudVendor   string
	CloudProduct  string
	Unmeasured    []evidence.Unmeasured // inputs of this platform that no measurement covers
	Measurements  Measurements
	Simulated     bool   // what the platform itself says; a verifier decides by the root
	SimulatedRoot []byte // DER of the simulator's root, nil on hardware
}

// Measurements are the registers a quote of this start carries, hex; empty where the platform has none.
type Measurements struct {
	MRTD      string    `json:"mrtd,omitempty"`
	RTMR      [4]string `json:"rtmr"`
	MRENCLAVE string    `json:"mrenclave,omitempty"`
	MRSIGNER  string    `json:"mrsigner,omitempty"`
}

// Key is a derived key with the platform's signatures over its public half, where it makes any.
type Key struct {
	Secret  [32]byte
	Chain   [][]byte
	API     string // whose form Chain has: "dstack/v0", "dstack/v1", "tappd/0.3"; empty without Chain
	Purpose string // what dstack/v0 signed beside the public key
}

// Claim is the key's chain as evidence carries it; nil where the platform makes none.
func (k Key) Claim(use, path, algorithm string, public []byte) *evidence.KeyClaim {
	if len(k.Chain) == 0 {
		return nil
	}
	c := &evidence.KeyClaim{Use: use, API: k.API, Path: path, Purpose: k.Purpose, Algorithm: algorithm, PublicKey: public}
	for _, link := range k.Chain {
		c.Chain = append(c.Chain, link)
	}
	return c
}

// CollateralSource supplies what a reader needs to judge a quote offline, as dcap-qvl JSON.
type CollateralSource interface {
	Collateral(ctx context.Context, quote []byte) (json.RawMessage, error)
}

// EventEmitter is an Attester that can extend the runtime register (RTMR3) with an application's event.
type EventEmitter interface {
	EmitEvent(ctx context.Context, name string, payload []byte) error
}

// PathDeriver is an Attester that can do tappd's DeriveKey, which Eliza's wallets come from: the PKCS#8 DER (138 bytes) of
// the P-256 key of a path. The subject only names a certificate.
type PathDeriver interface {
	DeriveKey(ctx context.Context, path, subject string) (der []byte, err error)
}

// Clock tells the time. Back ends take it as an argument so that tests own it.
type Clock func() time.Time
