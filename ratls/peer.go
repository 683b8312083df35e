package ratls

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/teapot-tee/teapot/verify"
)

// PeerExporterLabel is the exporter label of the end that dialled. It differs from ExporterLabel, so that neither end can
// hand the other's proof back to it.
const PeerExporterLabel = "EXPORTER-teapot-peer-v1"

const (
	peerProtocol    = "teapot-peer/1" // ALPN
	peerMagic       = "TEAPOT-PEER\x00\x01"
	peerNonce       = 32
	peerTime        = time.Minute // for the whole exchange, quotes included
	maxPeerDocument = 4 << 20     // bytes of one Evidence document
)

// Peer proves two Teapots to each other on one TLS connection: after the handshake each end shows its boot evidence and a
// session statement over the other's nonce and this connection's exporter, and judges what it is shown under its own policy.
// Certificates prove nothing here, so copies of certificate and key help nobody in between. The end that dials proves first:
// a stranger costs the answering end no quote. Bytes: docs/formats/session.md. Safe for concurrent use.
type Peer struct {
	Prover Prover
	Boot   func() (document []byte, err error) // this Teapot's newest boot evidence
	Policy verify.Policy                       // what the other end must meet
	// Judging may hold Collateral and Verifier for judging the other end; the rest of it is filled in.
	Judging verify.Input
	Budget  *Budget          // quotes that answering may cost, shared with other routes; nil: unbounded
	Now     func() time.Time // nil: the real clock
}

// PeerError is an end that was refused, with the verdict on it.
type PeerError struct{ Result verify.Result }

func (e *PeerError) Error() string { return "ratls: the peer is not accepted: " + e.Result.Headline }

// Unwrap returns verify.ErrNotMet.
func (e *PeerError) Unwrap() error { return verify.ErrNotMet }

// Client makes TLS over conn, proves this end and judges the other. The connection is usable only when err is nil; otherwise it
// is closed. A PeerError carries the verdict.
func (p *Peer) Client(ctx context.Context, conn net.Conn) (*tls.Conn, verify.Result, error) {
	c := tls.Client(conn, &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol},
		InsecureSkipVerify: true, //nolint:gosec // replaced by the session proof of p.client
	})
	return p.run(ctx, c, p.client)
}

// Server answers a Client over conn with this end's certificate.
func (p *Peer) Server(ctx context.Context, conn net.Conn, cert tls.Certificate) (*tls.Conn, verify.Result, error) {
	c := tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{peerProtocol}, Certificates: []tls.Certificate{cert}})
	return p.run(ctx, c, func(ctx context.Context, c *tls.Conn) (verify.Result, error) {
		return p.server(ctx, c, cert.Certificate[0])
	})
}

func (p *Peer) run(ctx context.Context, c *tls.Conn, talk func(context.Context, *tls.Conn) (verify.Result, error)) (*tls.Conn, verify.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, peerTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // wakes whoever reads or writes
	err := c.HandshakeContext(ctx)
	if err == nil && c.ConnectionState().NegotiatedProtocol != peerProtocol {
		err = errors.New("ratls: the other end does not speak " + peerProtocol)
	}
	var result verify.Result
	if err == nil {
		result, err = talk(ctx, c)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = c.Close() // nothing was promised on it
		return nil, result, err
	}
	return c, result, nil
}

func (p *Peer) client(ctx context.Context, c *tls.Conn) (verify.Result, error) {
	state := c.ConnectionState()
	leaf := state.PeerCertificates[0].Raw // TLS 1.3 servers always show one
	theirs, err := readPeerHello(c)
	if err != nil {
		return verify.Result{}, err
	}
	mine := newPeerNonce()
	if _, err := c.Write(append([]byte(peerMagic), mine...)); err != nil {
		return verify.Result{}, peerBroken(err)
	}
	if err := p.prove(ctx, c, PeerExporterLabel, leaf, theirs); err != nil {
		return verify.Result{}, err
	}
	result, err := p.judge(c, ExporterLabel, leaf, mine)
	if err != nil {
		return result, err
	}
	_, err = c.Write([]byte{1})
	return result, peerBroken(err)
}

func (p *Peer) server(ctx context.Context, c *tls.Conn, leaf []byte) (verify.Result, error) {
	mine := newPeerNonce()
	if _, err := c.Write(append([]byte(peerMagic), mine...)); err != nil {
		return verify.Result{}, peerBroken(err)
	}
	theirs, err := readPeerHello(c)
	if err != nil {
		return verify.Result{}, err
	}
	result, err := p.judge(c, PeerExporterLabel, leaf, mine)
	if err != nil {
		return result, err
	}
	if p.Budget != nil && p.Budget.Take(p.now()) > 0 {
		return result, errors.New("ratls: the budget of quotes is used up: let the peer dial again later")
	}
	if err := p.prove(ctx, c, ExporterLabel, leaf, theirs); err != nil {
		return result, err
	}
	var accepted [1]byte
	if _, err := io.ReadFull(c, accepted[:]); err != nil || accepted[0] != 1 {
		return result, errors.New("ratls: the peer did not accept this end")
	}
	return result, nil
}

// prove sends this end's boot evidence and a session over the other's nonce and this connection.
func (p *Peer) prove(ctx context.Context, c *tls.Conn, label string, leaf, nonce []byte) error {
	state := c.ConnectionState()
	channel, err := tlsChannel(&state, label, leaf, nonce)
	if err != nil {
		return err
	}
	session, err := p.Prover.Session(ctx, nonce, channel)
	if err != nil {
		return fmt.Errorf("ratls: proving this end: %w", err)
	}
	boot, err := p.Boot() // after the session: what it names is the newest or the one before
	if err != nil {
		return fmt.Errorf("ratls: proving this end: %w", err)
	}
	for _, document := range [][]byte{boot, session} {
		if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(document))), document...)); err != nil {
			return peerBroken(err)
		}
	}
	return nil
}

// judge reads the other end's documents and judges them as bound to this connection.
func (p *Peer) judge(c *tls.Conn, label string, leaf, nonce []byte) (verify.Result, error) {
	state := c.ConnectionState()
	channel, err := tlsChannel(&state, label, leaf, nonce)
	if err != nil {
		return verify.Result{}, err
	}
	in := p.Judging
	in.Kind, in.Target, in.Secure, in.Nonce, in.Channel = verify.KindPeer, c.RemoteAddr().String(), true, nonce, &channel
	for _, document := range []*[]byte{&in.Boot, &in.Session} {
		if *document, err = readPeerDocument(c); err != nil {
			return verify.Result{}, err
		}
	}
	result, err := verify.Appraise(in, p.Policy, p.now())
	if err != nil {
		return result, fmt.Errorf("ratls: judging the peer: %w", err)
	}
	if result.Err() != nil {
		return result, &PeerError{result}
	}
	return result, nil
}

func (p *Peer) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

func newPeerNonce() []byte {
	nonce := make([]byte, peerNonce)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return nonce
}

func readPeerHello(c *tls.Conn) (nonce []byte, err error) {
	hello := make([]byte, len(peerMagic)+peerNonce)
	if _, err := io.ReadFull(c, hello); err != nil {
		return nil, peerBroken(err)
	}
	if string(hello[:len(peerMagic)]) != peerMagic {
		return nil, errors.New("ratls: the other end speaks another version of " + peerProtocol)
	}
	return hello[len(peerMagic):], nil
}

func readPeerDocument(c *tls.Conn) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, peerBroken(err)
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > maxPeerDocument {
		return nil, fmt.Errorf("ratls: the peer announces a document of %d bytes, the limit is %d", n, maxPeerDocument)
	}
	document, err := io.ReadAll(io.LimitReader(c, n)) // grows with what really comes
	if err == nil && int64(len(document)) < n {
		err = io.ErrUnexpectedEOF
	}
	return document, peerBroken(err)
}

// peerBroken says what a connection that ends in the middle means.
func peerBroken(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ratls: the other end broke off; it may have refused this end, or something in between did: %w", err)
}
