package client

import (
	"context"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/verify"
)

// Attested verifies the server at address and returns an HTTP client that talks to nothing but the TLS key of the boot
// statement that was just accepted. When the policy is not met there is no client, and the error is verify.ErrNotMet; the
// Result says why. Over plain http to this machine the client is an ordinary one.
func Attested(ctx context.Context, address string, memory *Memory, policy verify.Policy, o LookOptions) (*http.Client, verify.Result, error) {
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	c, err := New(address, Options{Transport: transport})
	if err != nil {
		return nil, verify.Result{}, err
	}
	o.Policy = policy
	in, err := c.Look(ctx, memory, o)
	if err != nil {
		return nil, verify.Result{}, err
	}
	result, err := verify.Appraise(in, policy, time.Now())
	if err != nil {
		return nil, result, err
	}
	if err := result.Err(); err != nil {
		return nil, result, err
	}
	if memory != nil {
		if _, err := memory.RememberAll(result); err != nil {
			return nil, result, err
		}
	}
	pinned := &http.Transport{ForceAttemptHTTP2: true}
	if c.Secure() {
		key, err := tlsKey(in.Boot)
		if err != nil {
			return nil, result, err
		}
		pinned.TLSClientConfig = ratls.ClientConfig(ratls.Keys(key))
	}
	return &http.Client{Transport: pinned, CheckRedirect: refuseRedirect}, result, nil
}

// tlsKey reads the TLS key of a boot statement; Attested has verified it.
func tlsKey(document []byte) ([]byte, error) {
	ev, err := evidence.ParseEvidence(document)
	if err != nil {
		return nil, err
	}
	boot, err := evidence.ParseBoot(ev.Statement)
	if err != nil {
		return nil, err
	}
	if len(boot.TLSKey) == 0 {
		return nil, &Error{Op: "pinning the TLS key", Cause: "the agent's boot statement names no TLS key", Next: "seal messages to its HPKE key instead"}
	}
	return boot.TLSKey, nil
}
