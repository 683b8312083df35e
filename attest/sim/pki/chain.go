package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"time"
)

const year = 365 * 24 * time.Hour

// rootEnd is the last second of Intel's own root.
var rootEnd = time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)

// mintChain mints root, platform CA, PCK leaf and TCB signer.
func (a *Authority) mintChain() error {
	var err error
	if a.Root, err = Mint(a.rootSpec()); err != nil {
		return err
	}
	if a.PlatformCA, err = Mint(a.PlatformCASpec()); err != nil {
		return err
	}
	if a.PCK, err = Mint(a.PCKSpec()); err != nil {
		return err
	}
	a.TCBSigner, err = Mint(a.TCBSignerSpec())
	return err
}

func (a *Authority) spec(cn, label string) CertSpec {
	return CertSpec{
		CN: cn, Org: Organization(a.id), Serial: a.serial(label), Key: a.key(label), Issuer: a.Root,
		NotBefore: a.now.Add(-24 * time.Hour), NotAfter: rootEnd, CRLURL: RootCRLURL, PathLen: -1,
	}
}

func (a *Authority) rootSpec() CertSpec {
	s := a.spec(RootCN, "root")
	s.Issuer, s.CA, s.PathLen, s.KeyUsage = nil, true, 1, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	return s
}

// PlatformCASpec is what the platform CA was minted from.
func (a *Authority) PlatformCASpec() CertSpec {
	s := a.spec(PlatformCACN, "platform-ca")
	s.CA, s.PathLen, s.KeyUsage = true, 0, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	s.NotAfter = a.now.Add(15 * year)
	return s
}

// PCKSpec is what the PCK leaf was minted from.
func (a *Authority) PCKSpec() CertSpec {
	s := a.spec(PCKCN, "pck")
	s.Issuer, s.CRLURL = a.PlatformCA, PlatformCRLURL
	s.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	s.NotAfter = a.now.Add(7 * year)
	s.Extensions = []pkix.Extension{a.platform.Extension()}
	return s
}

// TCBSignerSpec is what the TCB signing certificate was minted from.
func (a *Authority) TCBSignerSpec() CertSpec {
	s := a.spec(TCBSignerCN, "tcb-signer")
	s.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	s.NotAfter = a.now.Add(7 * year)
	return s
}
