package ratls

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Quoter makes a quote with exactly this report data; attest.Attester does, seen through a small function.
type Quoter func(ctx context.Context, reportData [64]byte) (quote []byte, err error)

// NewKey makes a TLS key for one start and its public half as the boot statement names it (SubjectPublicKeyInfo, DER).
func NewKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making the TLS key: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("making the TLS key: %w", err)
	}
	return key, spki, nil
}

// Certificate makes a self-signed certificate for the names, with interoperable RA-TLS evidence when quoter is not nil.
// now is only written into the certificate; nobody here checks dates, the quote is what counts.
func Certificate(ctx context.Context, key crypto.Signer, names []string, quoter Quoter, now time.Time) (tls.Certificate, error) {
	template, err := template(names, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	if quoter != nil {
		ext, err := evidenceExtension(ctx, key, quoter)
		if err != nil {
			return tls.Certificate{}, err
		}
		template.ExtraExtensions = []pkix.Extension{ext}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making the TLS certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making the TLS certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func template(names []string, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("making the TLS certificate: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Teapot"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return t, nil
}

func evidenceExtension(ctx context.Context, key crypto.Signer, quoter Quoter) (pkix.Extension, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("making RA-TLS evidence: %w", err)
	}
	claims := Claims(spki)
	quote, err := quoter(ctx, ClaimsReportData(claims))
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("making RA-TLS evidence: %w", err)
	}
	return pkix.Extension{Id: EvidenceOID(), Value: TaggedEvidence(quote, claims)}, nil
}
