package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/verify"
)

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

func newNonce() []byte {
	nonce := make([]byte, 32)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return nonce
}
