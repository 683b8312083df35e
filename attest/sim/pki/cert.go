package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha1" //nolint:gosec // key identifiers only (RFC 5280 section 4.2.1.2)
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Common names that Intel gives its certificates (Intel SGX PCK Certificate and CRL Profile Specification).
const (
	RootCN        = "Intel SGX Root CA"
	PlatformCACN  = "Intel SGX PCK Platform CA"
	ProcessorCACN = "Intel SGX PCK Processor CA"
	PCKCN         = "Intel SGX PCK Certificate"
	TCBSignerCN   = "Intel SGX TCB Signing"
)

// Distribution points as Intel's certificates carry them. Nothing is ever fetched from them.
const (
	RootCRLURL     = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
	PlatformCRLURL = "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der"
)

// Certificate is a certificate and the private key to it.
type Certificate struct {
	DER []byte
	Key *ecdsa.PrivateKey
	X   *x509.Certificate
}

// CertSpec says what to mint. Tests make one wrong certificate after another with it.
type CertSpec struct {
	CN, Org             string
	Serial              *big.Int
	NotBefore, NotAfter time.Time
	Key                 *ecdsa.PrivateKey // the subject's key
	Issuer              *Certificate      // nil: self-signed
	CA                  bool
	PathLen             int // with CA; -1 none
	KeyUsage            x509.KeyUsage
	CRLURL              string
	Extensions          []pkix.Extension // the SGX extension of PCK certificates
}

// Mint makes the certificate. It does not judge the specification.
func Mint(s CertSpec) (*Certificate, error) {
	template := &x509.Certificate{
		RawSubject: subject(s.CN, s.Org), SerialNumber: s.Serial,
		NotBefore: s.NotBefore, NotAfter: s.NotAfter, KeyUsage: s.KeyUsage,
		BasicConstraintsValid: true, IsCA: s.CA, MaxPathLen: -1,
		SubjectKeyId: keyID(s.Key), SignatureAlgorithm: x509.ECDSAWithSHA256, ExtraExtensions: s.Extensions,
	}
	if s.CA {
		template.MaxPathLen, template.MaxPathLenZero = s.PathLen, s.PathLen == 0
	}
	if s.CRLURL != "" {
		template.CRLDistributionPoints = []string{s.CRLURL}
	}
	parent, signer := template, s.Key
	if s.Issuer != nil {
		parent, signer = s.Issuer.X, s.Issuer.Key
	}
	template.AuthorityKeyId = keyID(signer)
	der, err := x509.CreateCertificate(nil, template, parent, &s.Key.PublicKey, deterministic{signer})
	if err != nil {
		return nil, fmt.Errorf("pki: minting %q: %w", s.CN, err)
	}
	x, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pki: minting %q: %w", s.CN, err)
	}
	return &Certificate{DER: der, Key: s.Key, X: x}, nil
}

// PEM returns the certificate as one PEM block, ending in a newline.
func (c *Certificate) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER})
}

// ChainPEM joins certificates, leaf first.
func ChainPEM(chain ...*Certificate) []byte {
	var out bytes.Buffer
	for _, c := range chain {
		out.Write(c.PEM())
	}
	return out.Bytes()
}

// subject encodes the name in Intel's order: CN, O, L, ST, C.
func subject(cn, org string) []byte {
	attribute := func(last int, value string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, last}, Value: value}}
	}
	name := pkix.RDNSequence{
		attribute(3, cn), attribute(10, org), attribute(7, "Santa Clara"), attribute(8, "CA"), attribute(6, "US"),
	}
	der, err := asn1.Marshal(name)
	if err != nil {
		panic("internal: pki: subject: " + err.Error()) // only for strings that are not UTF-8
	}
	return der
}

func keyID(k *ecdsa.PrivateKey) []byte {
	sum := sha1.Sum(append([]byte{4}, rawPublic(k)...)) //nolint:gosec // not a security property
	return sum[:]
}
