// Package tdxguest lets google/go-tdx-guest judge quotes with collateral that lies in a file: the outside opinion on
// package dcap and on the simulator's PKI.
package tdxguest

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-tdx-guest/verify"

	"github.com/teapot-tee/teapot/dcap"
)

// getter answers the library's requests from collateral.
type getter struct{ c *dcap.Collateral }

// Get implements the library's trust.HTTPSGetter.
func (g getter) Get(address string) (map[string][]string, []byte, error) {
	signed := func(header, chain, member, document, signature string) (map[string][]string, []byte, error) {
		return map[string][]string{header: {url.QueryEscape(chain)}}, []byte(`{"` + member + `":` + document + `,"signature":"` + signature + `"}`), nil
	}
	switch {
	case strings.Contains(address, "/tcb?"):
		return signed("Tcb-Info-Issuer-Chain", g.c.TCBInfoIssuerChain, "tcbInfo", g.c.TCBInfo, g.c.TCBInfoSignature)
	case strings.Contains(address, "/qe/identity"):
		return signed("Sgx-Enclave-Identity-Issuer-Chain", g.c.QEIdentityIssuerChain, "enclaveIdentity", g.c.QEIdentity, g.c.QEIdentitySignature)
	case strings.Contains(address, "/pckcrl"):
		der, err := hex.DecodeString(g.c.PCKCRL)
		return map[string][]string{"Sgx-Pck-Crl-Issuer-Chain": {url.QueryEscape(g.c.PCKCRLIssuerChain)}}, der, err
	case strings.HasSuffix(address, ".der"):
		der, err := hex.DecodeString(g.c.RootCACRL)
		return nil, der, err
	}
	return nil, nil, fmt.Errorf("unexpected request %s", address)
}

// Verify asks go-tdx-guest with collateral and revocation lists. A panic of the library is an error here.
func Verify(quote []byte, c *dcap.Collateral, root []byte, at time.Time) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	o := &verify.Options{CheckRevocations: true, GetCollateral: true, Getter: getter{c}, Now: at}
	if root != nil {
		x, err := x509.ParseCertificate(root)
		if err != nil {
			return err
		}
		o.TrustedRoots = x509.NewCertPool()
		o.TrustedRoots.AddCert(x)
	}
	return verify.RawTdxQuote(quote, o)
}
