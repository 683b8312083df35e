package pki

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"time"
)

// CRLSpec says what revocation list to issue.
type CRLSpec struct {
	Issuer                 *Certificate
	Number                 int64
	ThisUpdate, NextUpdate time.Time
	Revoked                []*big.Int
}

// IssueCRL signs a revocation list (DER, version 2, CRL number and authority key identifier as Intel's).
func IssueCRL(s CRLSpec) ([]byte, error) {
	list := &x509.RevocationList{
		Number: big.NewInt(s.Number), ThisUpdate: s.ThisUpdate, NextUpdate: s.NextUpdate,
		SignatureAlgorithm: x509.ECDSAWithSHA256,
	}
	for _, serial := range s.Revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: serial, RevocationTime: s.ThisUpdate, ReasonCode: 1})
	}
	der, err := x509.CreateRevocationList(nil, list, s.Issuer.X, deterministic{s.Issuer.Key})
	if err != nil {
		return nil, fmt.Errorf("pki: issuing revocation list: %w", err)
	}
	return der, nil
}
