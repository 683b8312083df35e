package evidence

import (
	"fmt"
	"slices"
	"strings"
)

// Policies are the rules the measured code holds itself to. Only measured input sets them.
type Policies struct {
	Spending []Spending `json:"spending"`  // sorted by agent, chain, asset; empty: wallets never spend
	Witness  Witness    `json:"witness"`   //
	Erasure  Erasure    `json:"erasure"`   //
	GuestAPI []GuestAPI `json:"guest_api"` // one per socket, sorted by name; empty: no other process asks for anything
}

// Spending allows one agent to spend one asset of one chain. Amounts are decimal integers in the smallest unit.
type Spending struct {
	Agent       string   `json:"agent"`        // agent UUID
	Chain       string   `json:"chain"`        // as in Wallet.Chain
	Asset       string   `json:"asset"`        // "native" or the token's address
	PerTransfer string   `json:"per_transfer"` // most per transfer
	PerDay      string   `json:"per_day"`      // most in 24 hours
	Recipients  []string `json:"recipients"`   // sorted; empty: anybody
}

// Witness is the quorum of cosignatures that must cover a checkpoint before anything is acknowledged.
// Quorum 0 with no keys is the policy "none": clones and rollbacks are not excluded.
type Witness struct {
	Quorum uint64   `json:"quorum"`
	Keys   []string `json:"keys"` // sorted note verifier keys (name+hash+key)
}

// Erasure says who may have content erased.
type Erasure struct {
	Requesters []string `json:"requesters"` // sorted words: agent, operator, policy, user; empty: nobody
}

// GuestAPI is what one socket of the guest API lets other processes do.
type GuestAPI struct {
	Socket      string   `json:"socket"`       // name of the socket, not its path on the host
	Methods     []string `json:"methods"`      // sorted; allowed methods, "*" is all
	KeyPrefixes []string `json:"key_prefixes"` // sorted; allowed key path prefixes, "" is any but the reserved ones
	Prefixes    []string `json:"prefixes"`     // sorted; report data prefixes beyond empty and app-data, "*" is any
	RATLS       bool     `json:"ra_tls"`       // usage_ra_tls allowed
}

// requesters are the closed list of Erasure.Requesters.
var requesters = [...]string{"agent", "operator", "policy", "user"}

func (p Policies) check() error {
	if err := p.checkSpending(); err != nil {
		return err
	}
	if err := p.Witness.check(); err != nil {
		return err
	}
	if err := p.Erasure.check(); err != nil {
		return err
	}
	return p.checkGuestAPI()
}

func (p Policies) checkSpending() error {
	if !strictlySorted(p.Spending, func(s Spending) string { return s.Agent + "\x00" + s.Chain + "\x00" + s.Asset }) {
		return fmt.Errorf("spending: not sorted by agent, chain, asset, or one twice")
	}
	for _, s := range p.Spending {
		if !validUUID(s.Agent) || s.Chain == "" || s.Asset == "" {
			return fmt.Errorf("spending: agent must be a UUID, chain and asset must be named")
		}
		if !validAmount(s.PerTransfer) || !validAmount(s.PerDay) {
			return fmt.Errorf("spending of %s: amounts must be decimal integers without leading zeros", s.Agent)
		}
		if !sortedText(s.Recipients) {
			return fmt.Errorf("spending of %s: recipients not sorted", s.Agent)
		}
	}
	return nil
}

func (w Witness) check() error {
	if !sortedText(w.Keys) {
		return fmt.Errorf("witness: keys not sorted")
	}
	if w.Quorum > uint64(len(w.Keys)) || (w.Quorum == 0) != (len(w.Keys) == 0) {
		return fmt.Errorf("witness: quorum %d of %d keys", w.Quorum, len(w.Keys))
	}
	return nil
}

func (e Erasure) check() error {
	if !sortedText(e.Requesters) {
		return fmt.Errorf("erasure: requesters not sorted")
	}
	for _, r := range e.Requesters {
		if !slices.Contains(requesters[:], r) {
			return fmt.Errorf("erasure: unknown requester %q", r)
		}
	}
	return nil
}

func (p Policies) checkGuestAPI() error {
	if !strictlySorted(p.GuestAPI, func(g GuestAPI) string { return g.Socket }) {
		return fmt.Errorf("guest_api: sockets not sorted, or one twice")
	}
	for _, g := range p.GuestAPI {
		if g.Socket == "" || !sortedText(g.Methods) || !sortedText(g.KeyPrefixes) || !sortedText(g.Prefixes) {
			return fmt.Errorf("guest_api: socket %q has no name or an unsorted list", g.Socket)
		}
	}
	return nil
}

func (p Policies) normal() Policies {
	p.Spending = slices.Clone(list(p.Spending))
	for i := range p.Spending {
		p.Spending[i].Recipients = list(p.Spending[i].Recipients)
	}
	p.Witness.Keys = list(p.Witness.Keys)
	p.Erasure.Requesters = list(p.Erasure.Requesters)
	p.GuestAPI = slices.Clone(list(p.GuestAPI))
	for i := range p.GuestAPI {
		g := &p.GuestAPI[i]
		g.Methods, g.KeyPrefixes, g.Prefixes = list(g.Methods), list(g.KeyPrefixes), list(g.Prefixes)
	}
	return p
}

func validAmount(s string) bool {
	if s == "" || len(s) > 78 || s[0] == '0' && len(s) > 1 { // 2^256 has 78 digits
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

func sortedText(in []string) bool {
	return strictlySorted(in, func(s string) string { return s })
}

func strictlySorted[T any](in []T, key func(T) string) bool {
	for i := 1; i < len(in); i++ {
		if key(in[i-1]) >= key(in[i]) {
			return false
		}
	}
	return true
}
