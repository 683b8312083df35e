package evidence

import (
	"fmt"
	"slices"
	"strings"
)

// WeakerThan lists in which ways p holds the process to less than its predecessor did; empty when it does not.
// Only what is provably at least as strict passes: a change that cannot be compared counts as weaker.
func (p Policies) WeakerThan(before Policies) []string {
	out := weakerSpending(p.Spending, before.Spending)
	if p.Witness.weaker(before.Witness) {
		out = append(out, fmt.Sprintf("witness: quorum %d of %d keys, was %d of %d", p.Witness.Quorum, len(p.Witness.Keys), before.Witness.Quorum, len(before.Witness.Keys)))
	}
	for _, r := range p.Erasure.Requesters {
		if !slices.Contains(before.Erasure.Requesters, r) {
			out = append(out, fmt.Sprintf("erasure: %s may now have content erased", r))
		}
	}
	return append(out, weakerGuestAPI(p.GuestAPI, before.GuestAPI)...)
}

func weakerSpending(now, before []Spending) []string {
	var out []string
	for _, s := range now {
		i := slices.IndexFunc(before, func(b Spending) bool { return b.Agent == s.Agent && b.Chain == s.Chain && b.Asset == s.Asset })
		if i < 0 {
			out = append(out, fmt.Sprintf("spending: %s of agent %s on %s was not allowed before", s.Asset, s.Agent, s.Chain))
			continue
		}
		out = append(out, s.weaker(before[i])...)
	}
	return out
}

func (s Spending) weaker(before Spending) []string {
	var out []string
	name := fmt.Sprintf("spending: %s of agent %s on %s", s.Asset, s.Agent, s.Chain)
	if more(s.PerTransfer, before.PerTransfer) {
		out = append(out, fmt.Sprintf("%s: %s per transfer, was %s", name, s.PerTransfer, before.PerTransfer))
	}
	if more(s.PerDay, before.PerDay) {
		out = append(out, fmt.Sprintf("%s: %s per day, was %s", name, s.PerDay, before.PerDay))
	}
	if len(before.Recipients) > 0 && (len(s.Recipients) == 0 || !subset(s.Recipients, before.Recipients)) {
		out = append(out, name+": recipients that were not allowed before")
	}
	return out
}

// weaker: any set of witnesses that satisfies now must also satisfy before. Of the now.Quorum signers at least
// now.Quorum − |now.Keys \ before.Keys| are old witnesses; that must still reach the old quorum.
func (w Witness) weaker(before Witness) bool {
	var added uint64
	for _, k := range w.Keys {
		if !slices.Contains(before.Keys, k) {
			added++
		}
	}
	return w.Quorum < before.Quorum+added && before.Quorum > 0
}

func weakerGuestAPI(now, before []GuestAPI) []string {
	var out []string
	for _, g := range now {
		i := slices.IndexFunc(before, func(b GuestAPI) bool { return b.Socket == g.Socket })
		switch {
		case i < 0:
			out = append(out, fmt.Sprintf("guest API: socket %s is new", g.Socket))
		case !g.within(before[i]):
			out = append(out, fmt.Sprintf("guest API: socket %s lets callers do more than before", g.Socket))
		}
	}
	return out
}

func (g GuestAPI) within(before GuestAPI) bool {
	return orAny(g.Methods, before.Methods) && covered(g.KeyPrefixes, before.KeyPrefixes) && orAny(g.Prefixes, before.Prefixes) && (!g.RATLS || before.RATLS)
}

// orAny: a subset of what was allowed before, where "*" allowed all.
func orAny(now, before []string) bool { return slices.Contains(before, "*") || subset(now, before) }

// covered: each prefix begins with one that was allowed before.
func covered(now, before []string) bool {
	for _, p := range now {
		if !slices.ContainsFunc(before, func(b string) bool { return strings.HasPrefix(p, b) }) {
			return false
		}
	}
	return true
}

func subset(now, before []string) bool {
	for _, s := range now {
		if !slices.Contains(before, s) {
			return false
		}
	}
	return true
}

// more compares decimal integers without leading zeros.
func more(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }
