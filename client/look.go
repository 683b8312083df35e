package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/tlog"
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

func newNonce() []byte {
	nonce := make([]byte, 32)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return nonce
}

// session asks for the session proof over the channel wanted. A server that does not end TLS itself refuses the TLS
// channel; then the proof is made without, and the verdict says that something ends TLS before the agent.
func (c *Client) session(ctx context.Context, in *verify.Input, kind string) error {
	if kind == "" {
		kind = evidence.ChannelNone
		if c.Secure() {
			kind = evidence.ChannelTLS
		}
	}
	if kind == evidence.ChannelHPKE {
		return c.sealedSession(ctx, in)
	}
	document, state, err := c.Session(ctx, in.Nonce, kind)
	var refused *Error
	if kind == evidence.ChannelTLS && errors.As(err, &refused) && refused.Status == http.StatusConflict {
		document, state, err = c.Session(ctx, in.Nonce, evidence.ChannelNone)
	}
	if err != nil {
		return err
	}
	in.Session = document
	if kind == evidence.ChannelTLS {
		return bindTLS(in, state)
	}
	return nil
}

func bindTLS(in *verify.Input, state *tls.ConnectionState) error {
	channel, err := ratls.ClientChannel(state, in.Nonce)
	if err != nil {
		return fmt.Errorf("binding the session to the TLS connection: %w", err)
	}
	in.Channel = &channel
	return nil
}

// sealedSession seals the request to the HPKE key that the (still unverified) boot statement names; the verdict then
// compares what the TEE saw with what was sealed here.
func (c *Client) sealedSession(ctx context.Context, in *verify.Input) error {
	key, err := hpkeKey(in.Boot)
	if err != nil {
		return err
	}
	channel := &evidence.Channel{}
	sealed := *c
	sealed.http = &http.Client{Transport: &ratls.SealedTransport{Key: key, Base: c.http.Transport, Sealed: func(enc []byte) {
		*channel = ratls.SealedChannelOf(key, enc)
	}}, CheckRedirect: refuseRedirect}
	document, _, err := sealed.Session(ctx, in.Nonce, evidence.ChannelHPKE)
	in.Session, in.Channel = document, channel
	return err
}

// hpkeKey prefers the post-quantum suite.
func hpkeKey(document []byte) (evidence.HPKEKey, error) {
	ev, err := evidence.ParseEvidence(document)
	if err != nil {
		return evidence.HPKEKey{}, err
	}
	boot, err := evidence.ParseBoot(ev.Statement)
	if err != nil {
		return evidence.HPKEKey{}, err
	}
	if len(boot.HPKEKeys) == 0 {
		return evidence.HPKEKey{}, &Error{Op: "sealing the session request", Cause: "the agent's boot statement names no HPKE key", Next: "use the TLS channel"}
	}
	return boot.HPKEKeys[len(boot.HPKEKeys)-1], nil
}

// sameBoot fetches the boot evidence that the session is about, if the agent restarted between the two requests.
func (c *Client) sameBoot(ctx context.Context, in verify.Input) []byte {
	ev, err := evidence.ParseEvidence(in.Session)
	if err != nil {
		return in.Boot
	}
	s, err := evidence.ParseSession(ev.Statement)
	if err != nil {
		return in.Boot
	}
	boot, err := evidence.ParseEvidence(in.Boot)
	if err == nil && boot.ID() == s.Boot {
		return in.Boot
	}
	if again, err := c.Evidence(ctx, hex.EncodeToString(s.Boot[:])); err == nil {
		return again
	}
	return in.Boot
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

// logOf prepares an agent's log: the entries since the last verified one where there are any, else all.
func (c *Client) logOf(ctx context.Context, agent string, o LookOptions, seen []verify.Seen) verify.Log {
	q := o.Query
	if whole := q.From == 0 && q.To == 0 && q.Type == ""; whole && !o.Whole {
		q.Base = verifiedSize(seen, o.Policy)
	}
	return verify.Log{
		Agent: agent, From: q.From, To: q.To, Type: q.Type, Contents: true,
		Bundle: &lazyBundle{open: func() (io.ReadCloser, error) { return c.bundleFrom(ctx, agent, q) }},
		Proof: func(from, to uint64) ([][]byte, error) {
			p, err := c.Proof(ctx, agent, from, to)
			return p.Proof, err
		},
	}
}

// bundleFrom asks for what follows the part that was verified before; a server whose log does not reach that far refuses,
// and then the whole log is asked for, so that the verdict can say what became of it.
func (c *Client) bundleFrom(ctx context.Context, agent string, q BundleQuery) (io.ReadCloser, error) {
	stream, err := c.Bundle(ctx, agent, q)
	var refused *Error
	if q.Base > 0 && errors.As(err, &refused) && refused.Status/100 == 4 {
		q.Base = 0
		return c.Bundle(ctx, agent, q)
	}
	return stream, err
}

// verifiedSize is the size up to which this machine verified every entry under this policy.
func verifiedSize(seen []verify.Seen, policy verify.Policy) uint64 {
	for _, s := range seen {
		if state, err := tlog.ParseAuditState(s.State); err == nil && state.Whole && s.AcceptedUnder(policy) {
			return state.Size
		}
	}
	return 0
}

// lazyBundle opens its stream at the first read and closes it at the end, so that logs are read one after the other.
type lazyBundle struct {
	open   func() (io.ReadCloser, error)
	stream io.ReadCloser
	err    error
}

func (l *lazyBundle) Read(p []byte) (int, error) {
	if l.stream == nil && l.err == nil {
		l.stream, l.err = l.open()
	}
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.stream.Read(p)
	if err != nil {
		l.err = errors.Join(err, l.stream.Close())
		if errors.Is(err, io.EOF) {
			l.err = io.EOF
		}
	}
	return n, l.err
}

// Close gives the connection back, whether the stream was read to its end or not.
func (l *lazyBundle) Close() error {
	if l.stream == nil || l.err != nil {
		return nil
	}
	l.err = io.ErrClosedPipe
	return l.stream.Close()
}

// RememberAll stores what a verdict allows to remember and keeps fork evidence; it returns the paths of that evidence.
func (m *Memory) RememberAll(r verify.Result) (forks []string, err error) {
	for _, doc := range r.Forks {
		path, err := m.KeepFork(doc)
		if err != nil {
			return forks, err
		}
		forks = append(forks, path)
	}
	for _, s := range r.Remember {
		if err := m.Remember(s); err != nil {
			return forks, err
		}
	}
	return forks, nil
}
