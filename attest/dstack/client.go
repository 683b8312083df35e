// Package dstack is the back end for dstack guests: tappd 0.3, the guest agent 0.4 and 0.5 (v0) and 0.6 (v1), chosen by asking.
//
// It trusts the agent for keys, because nothing else has them. It does not trust it for quotes: report data are compared with what
// was asked for, and everything else about a quote is the verifier's business. What the agent says about the app is passed on as
// its claim; only an app-compose file that the operator supplies (below 0.3.4) is compared here, with the event log.
//
// Wire: docs/guest-api-v0.md and guest-api-v1.md (0.6.0), tappd_rpc.proto (v0.3.4); ../shared/facts/dstack.md sections 1, 2 and 10.
package dstack

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teapot-tee/teapot/attest"
)

// Derivations that Key offers, newest first. They are recorded in data directories, so their meaning never changes.
const (
	// DerivationV1 is /v1/GetKey: the domain is the path, the algorithm its last element (ed25519 where that is no curve of dstack's).
	DerivationV1 = "dstack-guest-v1 getkey"
	// DerivationV0 is GetKey of 0.4 to 0.6: HKDF of the app's k256 root over the path.
	DerivationV0 = "dstack-guest-v0 getkey"
	// DerivationTappd is Tappd.DeriveKey of 0.3: SHA-256 of the PKCS#8 encoding of the key.
	DerivationTappd = "tappd-0.3 derivekey sha256-pkcs8"
)

// Options say where the agent is and how it is used.
type Options struct {
	// Endpoint is a socket path (also unix:PATH) or an http URL, whose path is ignored. Empty: the first of Sockets that is there.
	Endpoint string
	// Derivation is the one that the data directory records; empty chooses the newest the agent offers.
	Derivation string
	// AppCompose are the exact bytes of the app-compose file, for tappd below 0.3.4, which does not tell.
	AppCompose []byte
	// Timeout bounds one call [30 s].
	Timeout time.Duration
}

// Client is an open agent. It is safe for concurrent use.
type Client struct {
	http       transport
	offer      offer
	derivation string
	appCompose []byte
	custody    custody
}

// offer is what the agent turned out to speak.
type offer struct {
	v1, v0, info bool   // /v1/*, /GetKey and friends, any Info
	tappdK256    bool   // 0.4 and later behind tappd's socket: GetKey is there as Tappd.DeriveK256Key
	signs        bool   // 0.5.7 and later: Version exists and GetKey knows algorithms
	version      string // as told, "" below 0.5.7
}

// Sockets are where agents listen, in the order in which the published SDKs look.
func Sockets() []string {
	return []string{
		"/var/run/dstack.sock", "/run/dstack.sock", "/var/run/dstack/dstack.sock", "/run/dstack/dstack.sock",
		"/var/run/tappd.sock", "/run/tappd.sock",
	}
}

// Open asks the agent what it speaks.
func Open(ctx context.Context, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	endpoint, err := findEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	t, err := newTransport(endpoint, o.Timeout)
	if err != nil {
		return nil, err
	}
	c := &Client{http: t, appCompose: o.AppCompose}
	if c.offer, err = c.ask(ctx); err != nil {
		t.close()
		return nil, err
	}
	if err := c.choose(o.Derivation); err != nil {
		t.close()
		return nil, err
	}
	return c, nil
}

// ask tries the newest API first. An agent that answers nothing known is not one.
func (c *Client) ask(ctx context.Context) (o offer, err error) {
	var version struct{ Version string }
	if o.v1, err = c.offers(ctx, "/v1/Version", &version); err != nil {
		return o, err
	}
	if o.signs, err = c.offers(ctx, "/Version", &version); err != nil {
		return o, err
	}
	o.version = version.Version
	var info struct {
		AppID *string `json:"app_id"`
	}
	if o.v0, err = c.offers(ctx, "/Info", &info); err != nil || o.v0 || o.v1 {
		o.info = o.v0 || o.v1
		return o, err
	}
	if o.info, err = c.offers(ctx, "/prpc/Tappd.Info", &info); err != nil {
		return o, err
	}
	if o.info {
		// DeriveKey of 0.4 and later has another root than 0.3's: it must not pass for the same derivation.
		o.tappdK256, err = c.offers(ctx, "/prpc/Tappd.DeriveK256Key", nil)
		return o, err
	}
	// Below 0.3.4 there is no Info: only a quote shows that this is tappd.
	var quote struct{ Quote string }
	found, err := c.offers(ctx, "/prpc/Tappd.TdxQuote", &quote)
	if err == nil && !found {
		err = fmt.Errorf("%s answers, but speaks neither dstack's guest API nor tappd's", c.http.endpoint)
	}
	return o, err
}

func (c *Client) choose(recorded string) error {
	offered := c.offer.derivations()
	if recorded == "" {
		c.derivation = offered[0]
		return nil
	}
	if !slices.Contains(offered, recorded) {
		return fmt.Errorf("the data directory was made with key derivation %q, this agent offers only %q: its keys would differ; "+
			"go back to the platform version that made it", recorded, offered)
	}
	c.derivation = recorded
	return nil
}

func (o offer) derivations() (list []string) {
	if o.v1 {
		list = append(list, DerivationV1)
	}
	if o.v0 || o.tappdK256 {
		list = append(list, DerivationV0)
	}
	if len(list) == 0 {
		list = append(list, DerivationTappd)
	}
	return list
}

// Platform is "dstack-tdx".
func (c *Client) Platform() string { return "dstack-tdx" }

// Derivation is the one in use.
func (c *Client) Derivation() string { return c.derivation }

// Close drops the connections.
func (c *Client) Close() error {
	c.http.close()
	return nil
}

var (
	_ attest.Attester     = (*Client)(nil)
	_ attest.EventEmitter = (*Client)(nil)
)
