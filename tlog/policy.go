package tlog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// WitnessPolicy says which witnesses a reader believes: C2SP tlog-policy with Ed25519 keys. It comes from the reader, never from
// a bundle. The zero WitnessPolicy has no quorum line and is not valid; ParseWitnessPolicy makes valid ones.
type WitnessPolicy struct {
	Logs      []PolicyKey
	Witnesses []PolicyKey // Name is the policy's, Verifier.Name the witness's own
	Groups    []PolicyGroup
	Quorum    string // name of a witness or group, or "none"
}

// PolicyKey is a log or witness of a policy.
type PolicyKey struct {
	Name     string
	Verifier Verifier
	URL      string
}

// PolicyGroup is satisfied when K of its members are.
type PolicyGroup struct {
	Name    string
	K       int
	Members []string
}

const (
	maxPolicy = 1 << 18
	noQuorum  = "none"
)

// ParseWitnessPolicy reads a policy strictly: names refer backwards, a name is in at most one group, there is one quorum line.
func ParseWitnessPolicy(text string) (*WitnessPolicy, error) {
	if len(text) > maxPolicy {
		return nil, fmt.Errorf("witness policy: above %d bytes", maxPolicy)
	}
	p, used := new(WitnessPolicy), map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := p.line(words, used); err != nil {
			return nil, fmt.Errorf("witness policy: line %d: %w", i+1, err)
		}
	}
	if p.Quorum == "" {
		return nil, errors.New("witness policy: no quorum line")
	}
	return p, nil
}

func (p *WitnessPolicy) line(words []string, used map[string]bool) error {
	switch args := words[1:]; words[0] {
	case "log":
		return p.log(args)
	case "witness":
		return p.witness(args)
	case "group":
		return p.group(args, used)
	case "quorum":
		return p.quorum(args)
	}
	return fmt.Errorf("unknown word %q: want log, witness, group or quorum", clip(words[0]))
}

func (p *WitnessPolicy) log(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("want log <vkey> [url]")
	}
	v, err := ParseVerifier(args[0])
	if err != nil {
		return err
	}
	if v.Type != AlgEd25519 {
		return errors.New("a log's key has type 0x01")
	}
	p.Logs = append(p.Logs, PolicyKey{v.Name, v, optional(args, 1)})
	return nil
}

func (p *WitnessPolicy) witness(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return errors.New("want witness <name> <vkey> [url]")
	}
	v, err := ParseVerifier(args[1])
	switch {
	case err != nil:
		return err
	case v.Type != AlgCosignature:
		return errors.New("a witness's key has type 0x04")
	case p.defined(args[0]):
		return fmt.Errorf("name %q is taken", clip(args[0]))
	case slices.ContainsFunc(p.Witnesses, func(w PolicyKey) bool { return w.Verifier.Key.Equal(v.Key) }):
		return errors.New("two witnesses with one key")
	}
	p.Witnesses = append(p.Witnesses, PolicyKey{args[0], v, optional(args, 2)})
	return nil
}

func (p *WitnessPolicy) group(args []string, used map[string]bool) error {
	if len(args) < 3 || p.defined(args[0]) {
		return errors.New("want group <new name> all|any|<k> <member>…")
	}
	g := PolicyGroup{Name: args[0], Members: args[2:]}
	for _, m := range g.Members {
		if !p.defined(m) || m == noQuorum || used[m] {
			return fmt.Errorf("member %q is not defined above, or already in a group", clip(m))
		}
		used[m] = true
	}
	switch n := len(g.Members); args[1] {
	case "all":
		g.K = n
	case "any":
		g.K = 1
	default:
		k, err := strconv.Atoi(args[1])
		if err != nil || k < 1 || k > n || strconv.Itoa(k) != args[1] {
			return fmt.Errorf("%q of %d members: want all, any or a number from 1 to %d", clip(args[1]), n, n)
		}
		g.K = k
	}
	p.Groups = append(p.Groups, g)
	return nil
}

func (p *WitnessPolicy) quorum(args []string) error {
	switch {
	case len(args) != 1:
		return errors.New("want quorum <name>|none")
	case p.Quorum != "":
		return errors.New("a second quorum line")
	case !p.defined(args[0]):
		return fmt.Errorf("quorum %q is not defined above", clip(args[0]))
	}
	p.Quorum = args[0]
	return nil
}

// defined says whether a name is taken; "none" always is.
func (p *WitnessPolicy) defined(name string) bool {
	return name == noQuorum || slices.ContainsFunc(p.Witnesses, func(w PolicyKey) bool { return w.Name == name }) ||
		slices.ContainsFunc(p.Groups, func(g PolicyGroup) bool { return g.Name == name })
}

func optional(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// None says whether the policy asks for no witness at all.
func (p *WitnessPolicy) None() bool { return p.Quorum == noQuorum }

// Cosignatures is what a policy's witnesses say about a checkpoint.
type Cosignatures struct {
	Satisfied bool              // the quorum is met; always true under quorum none
	Since     uint64            // the latest time at or after which a quorum cosigned, POSIX seconds; 0 if none did
	Times     map[string]uint64 // policy name of each witness whose cosignature verifies → its time
	Bad       []string          // policy names of witnesses with a line that does not verify: the note must be refused
}

// Judge looks for the cosignatures of the policy's witnesses on a checkpoint.
func (p *WitnessPolicy) Judge(c *SignedCheckpoint) Cosignatures {
	out := Cosignatures{Times: map[string]uint64{}}
	var times []uint64
	for _, w := range p.Witnesses {
		switch at, sig := c.Note.Cosigned(w.Verifier); sig {
		case SigBad:
			out.Bad = append(out.Bad, w.Name)
		case SigGood:
			out.Times[w.Name] = at
			times = append(times, at)
		case SigMissing:
		}
	}
	out.Satisfied = len(out.Bad) == 0 && p.met(out.Times, 0)
	slices.Sort(times)
	for _, at := range times {
		if out.Satisfied && !p.None() && p.met(out.Times, at) {
			out.Since = at
		}
	}
	return out
}

// met says whether the witnesses with a time at or after since make a quorum.
func (p *WitnessPolicy) met(times map[string]uint64, since uint64) bool {
	ok := map[string]bool{noQuorum: true}
	for name, at := range times {
		ok[name] = at >= since
	}
	for _, g := range p.Groups {
		n := 0
		for _, m := range g.Members {
			if ok[m] {
				n++
			}
		}
		ok[g.Name] = g.K > 0 && n >= g.K
	}
	return p.Quorum != "" && ok[p.Quorum]
}
