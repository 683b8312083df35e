package client

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/verify"
)

// LookOptions say what to look at. The zero value is everything, bound to the connection.
type LookOptions struct {
	Agents  []string // UUIDs; empty: all
	Query   BundleQuery
	Channel string        // "tls", "hpke", "none"; empty: tls for https, none for http
	Whole   bool          // walk whole logs even where this machine verified their beginning before
	Policy  verify.Policy // that will judge: what another policy accepted is walked again
}

// Look asks a server for everything that a verdict needs and returns it as input for verify.Appraise. Logs are opened
// only when they are read, one after the other, on the connection that the session proof is about. Nothing is judged here.
func (c *Client) Look(ctx context.Context, memory *Memory, o LookOptions) (verify.Input, error) {
	in := verify.Input{Target: c.Address(), Kind: verify.KindURL, Loopback: c.Loopback(), Secure: c.Secure(), Nonce: newNonce(), Only: o.Agents}
	info, err := c.Info(ctx)
	if err != nil {
		return in, err
	}
	if in.Boot, err = c.Evidence(ctx, ""); err != nil {
		return in, err
	}
	if err := c.session(ctx, &in, o.Channel); err != nil {
		return in, err
	}
	in.Boot = c.sameBoot(ctx, in)
	agents, err := wanted(info.Agents, o.Agents)
	if err != nil {
		return in, err
	}
	attested := originsOf(in.Boot)
	for _, a := range agents {
		seen, err := recall(memory, c.Address(), a, attested[a.ID])
		if err != nil {
			return in, err
		}
		in.Seen = append(in.Seen, seen...)
		in.Logs = append(in.Logs, c.logOf(ctx, a.ID, o, seen))
	}
	return in, nil
}

// wanted picks the agents asked for; ids that the server does not name are an error of the caller.
func wanted(there []AgentInfo, ids []string) (out []AgentInfo, err error) {
	var all []string
	for _, a := range there {
		all = append(all, a.ID)
		if len(ids) == 0 || slices.Contains(ids, a.ID) {
			out = append(out, a)
		}
	}
	for _, id := range ids {
		if !slices.Contains(all, id) {
			return nil, &Error{Op: "choosing agents", Cause: fmt.Sprintf("the server has no agent %s", id), Next: "it has: " + strings.Join(all, ", ")}
		}
	}
	return out, nil
}

// originsOf reads from boot evidence which log each agent has. Evidence that cannot be read is for the verdict to report.
func originsOf(document []byte) map[string]string {
	out := map[string]string{}
	ev, err := evidence.ParseEvidence(document)
	if err != nil {
		return out
	}
	boot, err := evidence.ParseBoot(ev.Statement)
	if err != nil {
		return out
	}
	parts, err := ev.MatchParts(boot)
	if err != nil {
		return out
	}
	for _, p := range parts {
		out[p.Agent] = p.Log.Origin
	}
	return out
}

// recall collects what was seen of an agent at this target, of the log it had there, and of the log that the boot statement
// names, wherever that was seen. What GET /v1/ says of the log counts for nothing: it is not attested, and a server that could
// choose what is remembered of it would name a log that nobody saw.
func recall(memory *Memory, target string, agent AgentInfo, attested string) ([]verify.Seen, error) {
	if memory == nil {
		return nil, nil
	}
	at, err := memory.At(target, agent.ID)
	if err != nil {
		return nil, err
	}
	origins := []string{attested}
	var seen []verify.Seen
	if at != nil {
		seen = append(seen, *at)
		if at.Origin != attested {
			origins = append(origins, at.Origin)
		}
	}
	for _, origin := range origins {
		of, err := memory.Of(origin)
		if err != nil {
			return nil, err
		}
		if of != nil && (at == nil || !bytes.Equal(of.Checkpoint, at.Checkpoint)) {
			seen = append(seen, *of)
		}
	}
	return seen, nil
}
