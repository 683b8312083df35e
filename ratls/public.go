package ratls

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

// Public serves a certificate that browsers accept, for the TLS key that the boot statement names: the certificate of a
// public authority (ACME, RFC 8555, challenge tls-alpn-01) over the same key, beside the self-signed one with evidence. The
// authority only vouches for the name; what vouches for the agent stays the quote.
//
// golang.org/x/crypto/acme/autocert does not serve here: it makes keys of its own, which no boot statement would name.
type Public struct {
	Key       crypto.Signer   // the boot statement's TLS key
	Own       tls.Certificate // self-signed, shown until there is a public one and to whoever asks another name
	Names     []string        // public names
	Directory string          // ACME directory URL; empty is Let's Encrypt
	Contact   []string        // "mailto:…", optional
	Account   crypto.Signer   // ACME account key (ECDSA); nil makes one for this start
	Logger    *slog.Logger    // told about renewals and failures

	client     *acme.Client // tests replace its HTTP client
	mu         sync.RWMutex
	current    *tls.Certificate
	challenges map[string]*tls.Certificate
}

// Config is the server's TLS configuration: TLS 1.3, the public certificate where there is one.
func (p *Public) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: p.certificate,
		NextProtos:     []string{"h2", "http/1.1", acme.ALPNProto},
	}
}

// Leaf is the leaf certificate shown on a connection, for SessionHandler.
func (p *Public) Leaf(state *tls.ConnectionState) []byte {
	if state == nil {
		return nil
	}
	return p.shown(state.ServerName).Certificate[0]
}

func (p *Public) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
		p.mu.RLock()
		defer p.mu.RUnlock()
		if c := p.challenges[hello.ServerName]; c != nil {
			return c, nil
		}
		return nil, errors.New("ratls: no challenge for this name")
	}
	return p.shown(hello.ServerName), nil
}

func (p *Public) shown(name string) *tls.Certificate {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.current != nil && slices.Contains(p.Names, name) {
		return p.current
	}
	return &p.Own
}

// Keep obtains a certificate and renews it when a third of its time is left, until ctx ends. A failure is logged and tried
// again an hour later; meanwhile the certificate there is stays in use.
func (p *Public) Keep(ctx context.Context) {
	for {
		wait := time.Hour
		if err := p.Obtain(ctx); err != nil {
			p.Logger.WarnContext(ctx, "no public certificate", "names", p.Names, "cause", err.Error(), "next", "checked again in an hour; the self-signed one stays in use")
		} else {
			wait = p.untilRenewal(time.Now())
			p.Logger.InfoContext(ctx, "public certificate", "names", p.Names, "renewal_in", wait.Round(time.Minute).String())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (p *Public) untilRenewal(now time.Time) time.Duration {
	p.mu.RLock()
	defer p.mu.RUnlock()
	life := p.current.Leaf.NotAfter.Sub(p.current.Leaf.NotBefore)
	return max(time.Minute, p.current.Leaf.NotAfter.Add(-life/3).Sub(now))
}

// Obtain gets one certificate for all names.
func (p *Public) Obtain(ctx context.Context) error {
	c, err := p.register(ctx)
	if err != nil {
		return fmt.Errorf("ACME account: %w", err)
	}
	order, err := c.AuthorizeOrder(ctx, acme.DomainIDs(p.Names...))
	if err != nil {
		return fmt.Errorf("ACME order: %w", err)
	}
	for _, url := range order.AuthzURLs {
		if err := p.authorize(ctx, c, url); err != nil {
			return fmt.Errorf("ACME authorization: %w", err)
		}
	}
	if order, err = c.WaitOrder(ctx, order.URI); err != nil {
		return fmt.Errorf("ACME order: %w", err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: p.Names}, p.Key)
	if err != nil {
		return fmt.Errorf("ACME request: %w", err)
	}
	chain, _, err := c.CreateOrderCert(ctx, order.FinalizeURL, csr, true)
	if err != nil {
		return fmt.Errorf("ACME certificate: %w", err)
	}
	return p.use(chain)
}

func (p *Public) register(ctx context.Context) (*acme.Client, error) {
	if p.client != nil && p.client.KID != "" {
		return p.client, nil
	}
	if p.Account == nil {
		key, _, err := NewKey()
		if err != nil {
			return nil, err
		}
		p.Account = key
	}
	if p.client == nil {
		p.client = &acme.Client{}
	}
	p.client.Key, p.client.DirectoryURL = p.Account, p.Directory
	_, err := p.client.Register(ctx, &acme.Account{Contact: p.Contact}, acme.AcceptTOS)
	if errors.Is(err, acme.ErrAccountAlreadyExists) {
		err = nil
	}
	return p.client, err
}

func (p *Public) authorize(ctx context.Context, c *acme.Client, url string) error {
	z, err := c.GetAuthorization(ctx, url)
	if err != nil || z.Status == acme.StatusValid {
		return err
	}
	i := slices.IndexFunc(z.Challenges, func(ch *acme.Challenge) bool { return ch.Type == "tls-alpn-01" })
	if i < 0 {
		return errors.New("the authority offers no tls-alpn-01 challenge")
	}
	cert, err := c.TLSALPN01ChallengeCert(z.Challenges[i].Token, z.Identifier.Value)
	if err != nil {
		return err
	}
	p.challenge(z.Identifier.Value, &cert)
	defer p.challenge(z.Identifier.Value, nil)
	if _, err := c.Accept(ctx, z.Challenges[i]); err != nil {
		return err
	}
	_, err = c.WaitAuthorization(ctx, z.URI)
	return err
}

func (p *Public) challenge(name string, cert *tls.Certificate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.challenges == nil {
		p.challenges = map[string]*tls.Certificate{}
	}
	if cert == nil {
		delete(p.challenges, name)
		return
	}
	p.challenges[name] = cert
}

// use takes the chain into service if it is really over our key.
func (p *Public) use(chain [][]byte) error {
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return fmt.Errorf("ACME certificate: %w", err)
	}
	public, ok := p.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(leaf.PublicKey) {
		return errors.New("ACME certificate: it is over another key than the boot statement names")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = &tls.Certificate{Certificate: chain, PrivateKey: p.Key, Leaf: leaf}
	return nil
}
