// Package pcs fetches and caches collateral: the only room that talks to Intel's Provisioning Certification Service
// (PCS) or to a caching service in front of it (PCCS).
//
// It trusts neither server nor TLS: what arrives counts only when every signature leads to the trust root, and never
// when it is older than what this machine has seen before. Freshness is what a server can still deny: it can withhold
// news until the windows that Intel signed run out (30 days).
package pcs

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/dcap"
)

// Addresses of Intel's services.
const (
	IntelPCS     = "https://api.trustedservices.intel.com"
	IntelRootCRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
)

// Client fetches collateral. The zero value asks Intel, keeps nothing on disk and trusts Intel's root. It is safe for
// concurrent use; several processes may share a directory.
type Client struct {
	BaseURL string // of a PCS or PCCS, without path; "" means IntelPCS
	// RootCRLURL is where the root's revocation list lies; "" means Intel's for IntelPCS and the PCCS route otherwise.
	RootCRLURL string
	Update     string // UpdateEarly or UpdateStandard; "" leaves it to the server
	Number     uint64 // TCB evaluation data number to ask for instead; 0: the one of Update
	Key        string // PCS subscription key; only PCK certificates need it
	Dir        string // cache and memory; "" keeps nothing
	Root       []byte // trust root, DER; nil means Intel's
	HTTP       *http.Client
	Now        func() time.Time                                 // nil means the real clock
	Sleep      func(ctx context.Context, d time.Duration) error // nil waits; tests replace it

	verifier dcap.Verifier
	mu       sync.Mutex // one request for collateral at a time: what is fetched and remembered belongs together
}

// maxAge is how long cached collateral is used without asking again.
const maxAge = 24 * time.Hour

// Collateral returns collateral for a quote in dcap-qvl's JSON: from the cache while it is fresh, else fetched. When
// the fetch fails, cached collateral that is still inside its windows is used.
func (c *Client) Collateral(ctx context.Context, quote []byte) (json.RawMessage, error) {
	q, err := dcap.Parse(quote)
	if err != nil {
		return nil, err
	}
	needs, err := q.Needs(nil)
	if err != nil {
		return nil, err
	}
	var chain string
	if needs.PCK != nil {
		if chain, err = c.pckChain(ctx, needs.PCK); err != nil {
			return nil, err
		}
		if needs, err = q.Needs([]byte(chain)); err != nil {
			return nil, err
		}
	}
	collateral, err := c.For(ctx, needs)
	if err != nil {
		return nil, err
	}
	out := *collateral
	out.PCKCertificateChain = chain
	return out.MarshalJSON()
}

// For returns collateral for a TEE, FMSPC and CA.
func (c *Client) For(ctx context.Context, n dcap.Needs) (*dcap.Collateral, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.checkEvaluation(); err != nil {
		return nil, err
	}
	cached, age := c.load(n)
	if cached != nil && age < maxAge {
		return cached, nil
	}
	fetched, err := c.fetch(ctx, n)
	if err == nil {
		err = c.admit(n, fetched)
	} else {
		err = c.retired(ctx, n.TEE, err)
	}
	if err == nil {
		return fetched, c.store(n, fetched)
	}
	if cached != nil {
		return cached, nil
	}
	return nil, err
}

// admit refuses what is not genuine, not what was asked for, expired, or older than what this machine has seen.
func (c *Client) admit(n dcap.Needs, fetched *dcap.Collateral) error {
	info, err := c.verifier.Inspect(fetched, c.Root)
	if err != nil {
		return err
	}
	switch {
	case info.TEE != n.TEE || info.FMSPC != n.FMSPC || info.CA != n.CA:
		return fmt.Errorf("pcs: asked for %s %x (%s CA), the server sent %s %x (%s CA)", n.TEE, n.FMSPC, n.CA, info.TEE, info.FMSPC, info.CA)
	case info.NextUpdate.Before(c.now()):
		return fmt.Errorf("pcs: the server sent collateral that expired at %s", info.NextUpdate.Format(time.RFC3339))
	}
	if err := c.isWanted(info); err != nil {
		return err
	}
	return c.remember(info)
}

// fetch gets every part.
func (c *Client) fetch(ctx context.Context, n dcap.Needs) (*dcap.Collateral, error) {
	out := &dcap.Collateral{}
	tee := strings.ToLower(n.TEE.String())
	query := c.evaluation(url.Values{"fmspc": {hex.EncodeToString(n.FMSPC[:])}})
	var err error
	out.TCBInfo, out.TCBInfoSignature, out.TCBInfoIssuerChain, err = c.signed(ctx, c.url(tee, "tcb", query), "tcbInfo", "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain")
	if err != nil {
		return nil, err
	}
	query.Del("fmspc")
	out.QEIdentity, out.QEIdentitySignature, out.QEIdentityIssuerChain, err = c.signed(ctx, c.url(tee, "qe/identity", query), "enclaveIdentity", "SGX-Enclave-Identity-Issuer-Chain")
	if err != nil {
		return nil, err
	}
	a, err := c.get(ctx, c.url("sgx", "pckcrl", url.Values{"ca": {n.CA}, "encoding": {"der"}}))
	if err != nil {
		return nil, err
	}
	out.PCKCRL = crlText(a.body)
	if out.PCKCRLIssuerChain, err = a.chain("SGX-PCK-CRL-Issuer-Chain"); err != nil {
		return nil, err
	}
	if a, err = c.get(ctx, c.rootCRLURL()); err != nil {
		return nil, err
	}
	out.RootCACRL = crlText(a.body)
	return out, nil
}

// signed gets a signed document and keeps its exact bytes.
func (c *Client) signed(ctx context.Context, address, member string, headers ...string) (document, signature, chain string, err error) {
	a, err := c.get(ctx, address)
	if err != nil {
		return "", "", "", err
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &parts); err != nil {
		return "", "", "", fmt.Errorf("pcs: %s did not answer with JSON: %w", redacted(address), err)
	}
	if err := json.Unmarshal(parts["signature"], &signature); err != nil || parts[member] == nil {
		return "", "", "", fmt.Errorf("pcs: %s answered without %s and signature", redacted(address), member)
	}
	chain, err = a.chain(headers...)
	return string(parts[member]), signature, chain, err
}

// pckChain fetches the PCK certificate of a platform that its quote only names, and the chain above it.
func (c *Client) pckChain(ctx context.Context, r *dcap.PCKRequest) (string, error) {
	query := url.Values{
		"cpusvn": {hex.EncodeToString(r.CPUSVN[:])}, "pcesvn": {hex.EncodeToString(r.PCESVN[:])},
		"pceid": {hex.EncodeToString(r.PCEID[:])},
	}
	if r.EncryptedPPID != nil {
		query.Set("encrypted_ppid", hex.EncodeToString(r.EncryptedPPID))
	}
	if c.base() != IntelPCS {
		query.Set("qeid", hex.EncodeToString(r.QEID[:]))
	}
	a, err := c.get(ctx, c.url("sgx", "pckcert", query))
	if err != nil {
		return "", err
	}
	issuers, err := a.chain("SGX-PCK-Certificate-Issuer-Chain")
	return strings.TrimRight(string(a.body), "\n") + "\n" + issuers, err
}

func (c *Client) base() string {
	if c.BaseURL == "" {
		return IntelPCS
	}
	return strings.TrimRight(c.BaseURL, "/")
}

func (c *Client) url(tee, path string, query url.Values) string {
	out := c.base() + "/" + tee + "/certification/v4/" + path
	if len(query) > 0 {
		out += "?" + query.Encode()
	}
	return out
}

func (c *Client) rootCRLURL() string {
	switch {
	case c.RootCRLURL != "":
		return c.RootCRLURL
	case c.base() == IntelPCS:
		return IntelRootCRL
	}
	return c.url("sgx", "rootcacrl", nil)
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// crlText writes DER as hex; hex text (PCCS) and PEM (PCS without encoding=der) stay.
func crlText(body []byte) string {
	if len(body) > 1 && body[0] == 0x30 && body[1] >= 0x80 {
		return hex.EncodeToString(body)
	}
	return strings.TrimSpace(string(body))
}

// ErrRollback is wrapped by errors about servers that send older documents than before.
var ErrRollback = errors.New("older than what this machine has seen")
