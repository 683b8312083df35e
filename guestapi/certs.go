package guestapi

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

// CA signs callers' certificates: the app's CA key, its certificate and the certificates above it, DER.
type CA struct {
	Key         *ecdsa.PrivateKey
	Certificate []byte
	Above       [][]byte
}

// CertRequest is what a caller may say about its certificate, plus the evidence to put inside it.
type CertRequest struct {
	Subject             string
	AltNames            []string
	ServerAuth          bool
	ClientAuth          bool
	NotBefore, NotAfter time.Time // zero: 1975-01-01 and ten years from now, as upstream
	Extensions          []pkix.Extension
}

// dstack's certificate extensions, 1.3.6.1.4.1.62397.1.x (dstack ra-tls).
func dstackOID(last int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 62397, 1, last}
}

// dstackExtension wraps bytes as upstream does: the extension's value is itself a DER OCTET STRING.
func dstackExtension(last int, content []byte) (pkix.Extension, error) {
	wrapped, err := asn1.Marshal(content)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encoding certificate extension %d: %w", last, err)
	}
	return pkix.Extension{Id: dstackOID(last), Value: wrapped}, nil
}

// defaultNotBefore is the fixed default of upstream's certificate library.
func defaultNotBefore() time.Time { return time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC) }

type issuer struct {
	key   *ecdsa.PrivateKey
	cert  *x509.Certificate
	chain []string // PEM, from the CA upwards
}

func newIssuer(ca CA) (issuer, error) {
	if ca.Key == nil {
		return issuer{}, errors.New("no CA key for callers' certificates")
	}
	cert, err := x509.ParseCertificate(ca.Certificate)
	if err != nil {
		return issuer{}, fmt.Errorf("reading the CA certificate: %w", err)
	}
	chain := []string{pemCertificate(ca.Certificate)}
	for _, der := range ca.Above {
		chain = append(chain, pemCertificate(der))
	}
	return issuer{key: ca.Key, cert: cert, chain: chain}, nil
}

func (i issuer) issue(pub *ecdsa.PublicKey, r CertRequest) ([]string, error) {
	template, err := r.template()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, pub, i.key)
	if err != nil {
		return nil, fmt.Errorf("issuing the certificate: %w", err)
	}
	return append([]string{pemCertificate(der)}, i.chain...), nil
}

func (r CertRequest) template() (*x509.Certificate, error) {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails
	template := &x509.Certificate{
		SerialNumber:    new(big.Int).SetBytes(serial),
		Subject:         pkix.Name{CommonName: r.Subject},
		NotBefore:       r.NotBefore,
		NotAfter:        r.NotAfter,
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: r.Extensions,
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = defaultNotBefore()
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().AddDate(0, 0, 10*365)
	}
	if !template.NotBefore.Before(template.NotAfter) {
		return nil, errors.New("not_before must be earlier than not_after")
	}
	if r.ServerAuth {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if r.ClientAuth {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	return template, addNames(template, r.AltNames)
}

func addNames(template *x509.Certificate, names []string) error {
	for _, name := range names {
		if strings.ContainsFunc(name, func(r rune) bool { return r > 0x7e || r < 0x21 }) {
			return fmt.Errorf("alternative name %q is not a DNS name or IP address", name)
		}
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	return nil
}

func pemCertificate(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// pemKey is the 138-byte PKCS#8 form as PEM: clients hash these bytes into wallets, so they are part of the wire format.
func pemKey(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("encoding the key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// SelfSignedCA makes the certificate of an app's CA: "App Root Cert", path length 0, valid as long as upstream's.
// organization says whose it is; a simulator's says SIMULATED.
func SelfSignedCA(key *ecdsa.PrivateKey, organization string) (CA, error) {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               pkix.Name{CommonName: "App Root Cert", Organization: []string{organization}},
		NotBefore:             defaultNotBefore(),
		NotAfter:              time.Now().AddDate(0, 0, 10*365),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return CA{}, fmt.Errorf("making the CA certificate: %w", err)
	}
	return CA{Key: key, Certificate: der}, nil
}
