// Package measured reads the configuration that a boot statement commits to: spending, witness, erasure and guest API policy.
//
// The statement carries the SHA-256 of the exact bytes and the parsed policies. Whether the bytes themselves were measured depends on
// how they arrived: a hash on the measured command line (--pin) or a trusted file of an enclave; everything else is listed as
// unmeasured, because the host could have chosen it. The zero configuration is the safe one: wallets never spend, nobody erases, no
// other process may ask for keys or quotes.
package measured

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/guestapi"
	"github.com/teapot-tee/teapot/internal/stricttoml"
)

// Version is the only version of the format (docs/configuration.md).
const Version = 1

// Config is the file; its fields are the manual.
type Config struct {
	Version  int        `toml:"version"`            // 1
	Spending []Spending `toml:"spending,omitempty"` // what wallets may spend; none: nothing
	Erasure  Erasure    `toml:"erasure,omitempty"`  // who may have content erased; none: nobody
	Witness  Witness    `toml:"witness,omitempty"`  // quorum of cosignatures before anything is acknowledged; none: no witnesses
	Guests   []Guest    `toml:"guest,omitempty"`    // sockets on which other processes may ask for keys and quotes; none: no socket
}

// Spending lets one agent spend one asset of one chain.
type Spending struct {
	Agent       string   `toml:"agent"`                // UUID
	Chain       string   `toml:"chain"`                // "evm", "solana"
	Asset       string   `toml:"asset"`                // "native" or the token's address
	PerTransfer string   `toml:"per_transfer"`         // decimal, smallest unit
	PerDay      string   `toml:"per_day"`              // decimal, smallest unit
	Recipients  []string `toml:"recipients,omitempty"` // empty: anybody
}

// Erasure lists who may have content erased: "agent", "operator", "policy", "user".
type Erasure struct {
	Requesters []string `toml:"requesters,omitempty"`
}

// Witness is the quorum of cosignatures. Only 0 is possible until Teapot's witness exists.
type Witness struct {
	Quorum uint64   `toml:"quorum,omitempty"`
	Keys   []string `toml:"keys,omitempty"`
}

// Guest is one socket of the guest API.
type Guest struct {
	Name        string   `toml:"name"`                   // as the statement names it
	Methods     []string `toml:"methods,omitempty"`      // "GetQuote", "GetKey" …; "*" all
	KeyPrefixes []string `toml:"key_prefixes,omitempty"` // "" any but the reserved ones
	AnyPrefix   bool     `toml:"any_prefix,omitempty"`   // report data prefixes beyond empty and app-data
	RATLS       bool     `toml:"ra_tls,omitempty"`       // certificates with a quote inside
}

// UsualGuest is what dstack's and tappd's clients need, Eliza's plugin among them: keys of paths that are not reserved, and quotes
// that say nothing in Teapot's name. No certificates with a quote inside, no events, no report data under other prefixes.
func UsualGuest(name string) Guest {
	return Guest{
		Name: name, KeyPrefixes: []string{""},
		Methods: []string{"DeriveK256Key", "DeriveKey", "GetKey", "GetQuote", "Info", "RawQuote", "TdxQuote", "Version"},
	}
}

// Parse reads the exact bytes strictly. Empty input is the zero configuration.
func Parse(raw []byte) (Config, error) {
	var c Config
	if len(bytes.TrimSpace(raw)) == 0 {
		return Config{Version: Version}, nil
	}
	d := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return c, fmt.Errorf("unknown field:\n%s", strict.String())
		}
		return c, err
	}
	if err := stricttoml.Keys(raw); err != nil {
		return c, err
	}
	if c.Version == 0 {
		return c, fmt.Errorf("version is missing: the file begins with version = %d", Version)
	}
	if c.Version != Version {
		return c, fmt.Errorf("version %d: this teapot reads version %d", c.Version, Version)
	}
	if c.Witness.Quorum > 0 || len(c.Witness.Keys) > 0 {
		return c, errors.New("witness: a quorum needs witnesses that cosign before anything is acknowledged, which this version cannot ask yet; leave it out (policy \"none\")")
	}
	return c, c.check()
}

func (c Config) check() error {
	names := map[string]bool{}
	for _, g := range c.Guests {
		if g.Name == "" || names[g.Name] {
			return fmt.Errorf("guest %q: every socket needs a name of its own", g.Name)
		}
		names[g.Name] = true
	}
	for i, s := range c.Spending {
		if s.Agent == "" || s.Chain == "" || s.Asset == "" || s.PerTransfer == "" || s.PerDay == "" {
			return fmt.Errorf("spending %d: agent, chain, asset, per_transfer and per_day are needed", i)
		}
	}
	return nil
}

// Policies are the statement's words for it, sorted as the statement wants.
func (c Config) Policies() evidence.Policies {
	p := evidence.Policies{
		Spending: []evidence.Spending{}, Witness: evidence.Witness{Keys: []string{}},
		Erasure: evidence.Erasure{Requesters: sorted(c.Erasure.Requesters)}, GuestAPI: []evidence.GuestAPI{},
	}
	for _, s := range c.Spending {
		p.Spending = append(p.Spending, evidence.Spending{Agent: s.Agent, Chain: s.Chain, Asset: s.Asset, PerTransfer: s.PerTransfer, PerDay: s.PerDay, Recipients: sorted(s.Recipients)})
	}
	slices.SortFunc(p.Spending, func(a, b evidence.Spending) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Asset, b.Asset))
	})
	for _, g := range c.Guests {
		p.GuestAPI = append(p.GuestAPI, g.statement())
	}
	slices.SortFunc(p.GuestAPI, func(a, b evidence.GuestAPI) int { return cmp.Compare(a.Socket, b.Socket) })
	return p
}

func (g Guest) statement() evidence.GuestAPI {
	s := evidence.GuestAPI{Socket: g.Name, Methods: sorted(g.Methods), KeyPrefixes: sorted(g.KeyPrefixes), Prefixes: []string{}, RATLS: g.RATLS}
	if g.AnyPrefix {
		s.Prefixes = []string{"*"}
	}
	return s
}

// Policy is what the socket's server enforces: the same words.
func (g Guest) Policy() guestapi.Policy {
	return guestapi.Policy{Methods: g.Methods, KeyPaths: g.KeyPrefixes, AnyPrefix: g.AnyPrefix, RATLS: g.RATLS}
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	slices.Sort(out)
	return slices.Compact(out)
}
