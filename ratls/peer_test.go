package ratls

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/verify"
)

// teapot is one running Teapot in a simulated TEE, and a certificate of its own.
type teapot struct {
	*Peer
	cert tls.Certificate
}

func newTeapot(t *testing.T) *teapot {
	t.Helper()
	dir := t.TempDir()
	s, err := sim.New(sim.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	p, err := boot.Start(t.Context(), boot.Config{
		Dir: dir, Attester: s, Collateral: s, Software: evidence.Software{Name: "teapot", Version: "test"}, Policies: boot.WeakestSafe(),
		Agents: []boot.AgentSpec{{ID: "0cbb7e0a-4f0a-0b2a-8f7c-0f6d3a1c2b3d", Name: "Peer", Character: []byte(`{"name":"Peer"}`)}},
		Now:    time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() }) // nothing is asserted of its end
	cert, _ := certificate(t, nil)
	return &teapot{&Peer{Prover: p, Boot: func() ([]byte, error) { return p.Evidence().Marshal() }, Policy: verify.Policy{Simulated: "allow"}}, cert}
}

// end is what one end of an exchange came to.
type end struct {
	conn   *tls.Conn
	result verify.Result
	err    error
}

func pair(t *testing.T) (dialled, answered net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if dialled, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if answered, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = dialled.Close(), answered.Close() })
	return dialled, answered
}

// answer runs a Teapot's answering end.
func (p *teapot) answer(t *testing.T, conn net.Conn) <-chan end {
	out := make(chan end, 1)
	go func() {
		c, r, err := p.Server(t.Context(), conn, p.cert)
		out <- end{c, r, err}
	}()
	return out
}

func (p *teapot) dial(t *testing.T, conn net.Conn) end {
	c, r, err := p.Client(t.Context(), conn)
	return end{c, r, err}
}

// refusedAt says whether the end refused the other for a failed check with this id.
func refusedAt(t *testing.T, e end, id string) {
	t.Helper()
	var refused *PeerError
	if !errors.As(e.err, &refused) || !errors.Is(e.err, verify.ErrNotMet) || e.conn != nil {
		t.Fatalf("not refused by verdict: %v", e.err)
	}
	if c := refused.Result.Find(id); c.Outcome != appraisal.Failed {
		t.Fatalf("%s is %s; %s", id, c.Outcome, refused.Result.Headline)
	}
}

func TestTwoTeapotsProveThemselvesToEachOther(t *testing.T) {
	a, b := newTeapot(t), newTeapot(t)
	dialled, answered := pair(t)
	there := b.answer(t, answered)
	mine := a.dial(t, dialled)
	theirs := <-there
	if mine.err != nil || theirs.err != nil {
		t.Fatalf("dialling end: %v; answering end: %v", mine.err, theirs.err)
	}
	for name, r := range map[string]verify.Result{"dialling": mine.result, "answering": theirs.result} {
		for _, id := range []string{"freshness.nonce", "session.channel", "binding.session", "binding.report_data"} {
			if r.Find(id).Outcome != appraisal.Passed {
				t.Errorf("%s end: %s is %s", name, id, r.Find(id).Outcome)
			}
		}
		if r.Tier != appraisal.Warned || !r.Simulated || len(r.Agents) != 1 {
			t.Errorf("%s end: tier %s, simulated %v, %d agents", name, r.Tier, r.Simulated, len(r.Agents))
		}
	}
	go func() { _, _ = mine.conn.Write([]byte("hello")) }() // the read below says whether it came
	got := make([]byte, 5)
	if _, err := io.ReadFull(theirs.conn, got); err != nil || string(got) != "hello" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestEachEndJudgesByItsOwnPolicy(t *testing.T) {
	a, b := newTeapot(t), newTeapot(t)
	a.Policy = verify.Policy{} // hardware only
	dialled, answered := pair(t)
	there := b.answer(t, answered)
	refusedAt(t, a.dial(t, dialled), "hardware.root")
	if e := <-there; e.err == nil || e.conn != nil {
		t.Errorf("the answering end took a connection that the other refused: %v", e.err)
	}
	dialled, answered = pair(t)
	there = a.answer(t, answered)
	if e := b.dial(t, dialled); e.err == nil || e.conn != nil {
		t.Errorf("the dialling end took a connection that the other refused: %v", e.err)
	}
	refusedAt(t, <-there, "hardware.root")
}

// splice ends TLS on both sides with copies of the answering end's certificate and key and passes every byte on.
func splice(t *testing.T, client, server net.Conn, cert tls.Certificate) {
	left := tls.Server(client, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol}, Certificates: []tls.Certificate{cert}})
	right := tls.Client(server, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol}, InsecureSkipVerify: true}) //nolint:gosec // the attacker does not care
	pass := func(to, from *tls.Conn) {
		_, _ = io.Copy(to, from)
		_, _ = to.Close(), from.Close()
	}
	go pass(left, right)
	go pass(right, left)
}

// A policy that refuses erasures demands a look at the log, which a peer does not show.
func TestWhatOnlyALogShowsStaysUnmet(t *testing.T) {
	a, b := newTeapot(t), newTeapot(t)
	a.Policy.Erasures = "refuse"
	dialled, answered := pair(t)
	there := b.answer(t, answered)
	if e := a.dial(t, dialled); !errors.Is(e.err, verify.ErrNotMet) {
		t.Errorf("%v", e.err)
	}
	<-there
}

func TestManInTheMiddleWithCopiedCertificateAndKey(t *testing.T) {
	a, b := newTeapot(t), newTeapot(t)
	dialled, left := pair(t)
	right, answered := pair(t)
	splice(t, left, right, b.cert)
	there := b.answer(t, answered)
	if e := a.dial(t, dialled); e.err == nil || e.conn != nil {
		t.Errorf("the dialling end noticed nothing: %v", e.err)
	}
	refusedAt(t, <-there, "session.channel")
}

// The man in the middle has a genuine Teapot of his own, so that the answering end proves itself to him, over the very nonce
// that the dialling end chose; what he passes on is bound to his connection.
func TestManInTheMiddleWithAGenuineTeapot(t *testing.T) {
	a, b, m := newTeapot(t), newTeapot(t), newTeapot(t)
	dialled, left := pair(t)
	right, answered := pair(t)
	there := b.answer(t, answered)
	broken := make(chan error, 1)
	go func() { broken <- between(t.Context(), left, right, b.cert, m) }()
	refusedAt(t, a.dial(t, dialled), "session.channel")
	if err := <-broken; err != nil {
		t.Fatal(err)
	}
	_, _ = left.Close(), right.Close()
	if e := <-there; e.err == nil {
		t.Error("the answering end was told that somebody accepted it")
	}
}

func between(ctx context.Context, client, server net.Conn, stolen tls.Certificate, m *teapot) error {
	left := tls.Server(client, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol}, Certificates: []tls.Certificate{stolen}})
	right := tls.Client(server, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol}, InsecureSkipVerify: true}) //nolint:gosec // the attacker does not care
	if err := errors.Join(left.HandshakeContext(ctx), right.HandshakeContext(ctx)); err != nil {
		return err
	}
	if _, err := left.Write(append([]byte(peerMagic), newPeerNonce()...)); err != nil {
		return err
	}
	nonce, err := readPeerHello(left)
	if err != nil {
		return err
	}
	for range 2 { // what the dialling end shows is of no use to him
		if _, err := readPeerDocument(left); err != nil {
			return err
		}
	}
	challenge, err := readPeerHello(right)
	if err != nil {
		return err
	}
	if _, err := right.Write(append([]byte(peerMagic), nonce...)); err != nil {
		return err
	}
	if err := m.prove(ctx, right, PeerExporterLabel, right.ConnectionState().PeerCertificates[0].Raw, challenge); err != nil {
		return err
	}
	for range 2 {
		document, err := readPeerDocument(right)
		if err != nil {
			return err
		}
		if _, err := left.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(document))), document...)); err != nil {
			return err
		}
	}
	return nil
}

// A proof of the answering end's kind, on this very connection and over the right nonce, is none of the dialling end.
func TestProofsCannotBeHandedBack(t *testing.T) {
	a, b := newTeapot(t), newTeapot(t)
	dialled, answered := pair(t)
	there := b.answer(t, answered)
	c := tls.Client(dialled, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol}, InsecureSkipVerify: true}) //nolint:gosec // the attacker does not care
	challenge, err := readPeerHello(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(append([]byte(peerMagic), challenge...)); err != nil {
		t.Fatal(err)
	}
	if err := a.prove(t.Context(), c, ExporterLabel, c.ConnectionState().PeerCertificates[0].Raw, challenge); err != nil {
		t.Fatal(err)
	}
	refusedAt(t, <-there, "session.channel")
}

func TestPeersThatSpeakOtherwise(t *testing.T) {
	b := newTeapot(t)
	for name, talk := range map[string]func(c *tls.Conn) error{
		"another protocol": func(c *tls.Conn) error { _, err := c.Write(bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 8)); return err },
		"a huge document": func(c *tls.Conn) error {
			_, err := c.Write(append(append([]byte(peerMagic), newPeerNonce()...), 0xff, 0xff, 0xff, 0xff))
			return err
		},
		"nothing, and away": func(c *tls.Conn) error { return c.Close() },
	} {
		dialled, answered := pair(t)
		there := b.answer(t, answered)
		c := tls.Client(dialled, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol}, InsecureSkipVerify: true}) //nolint:gosec // the attacker does not care
		if err := errors.Join(c.HandshakeContext(t.Context()), talk(c)); err != nil {
			t.Fatal(err)
		}
		if e := <-there; e.err == nil || e.conn != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestASilentPeerEndsWithTheContext(t *testing.T) {
	b := newTeapot(t)
	_, answered := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c, _, err := b.Server(ctx, answered, b.cert); err == nil || c != nil {
		t.Error("accepted")
	}
}
