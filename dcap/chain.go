package dcap

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
)

// pckChain is a PCK chain of exactly leaf, CA and root, with verified signatures under a trusted root. Validity
// windows and revocation are not part of it.
type pckChain struct {
	leaf, ca *certificate
	pck      *PCK
}

// readChain reads one to four certificates from PEM; the caller wants two or three. Their order in the text does not
// matter, as with Intel: roles come from names, places from who issued whom. The trusted root is recognised unread.
func readChain(text []byte, root *certificate) ([]*certificate, bool) {
	blocks, ok := pemBlocks(text, pemCertificate, 4)
	if !ok || len(blocks) == 0 {
		return nil, false
	}
	certs := make([]*certificate, len(blocks))
	for i, b := range blocks {
		if bytes.Equal(b, root.raw) {
			certs[i] = root
		} else if certs[i], ok = parseCertificate(b); !ok {
			return nil, false
		}
	}
	return certs, true
}

// byRole returns the only certificate with one of the names.
func byRole(certs []*certificate, names ...string) *certificate {
	var found *certificate
	for _, c := range certs {
		for _, name := range names {
			if c.cn == name {
				if found != nil {
					return nil
				}
				found = c
			}
		}
	}
	return found
}

// verifyPCKChain checks roles, places and signatures; ca says whether the root issued a PCK CA, and gives one pointer
// for all CAs of the same bytes.
func verifyPCKChain(text []byte, root *certificate, ca func(c *certificate) (*certificate, bool)) (*pckChain, *fault) {
	certs, ok := readChain(text, root)
	if !ok || len(certs) != 3 {
		return nil, faultf(ClassPCKChain, "not three certificates of Intel's profile in PEM")
	}
	top := byRole(certs, rootCN)
	c := &pckChain{leaf: byRole(certs, pckCN), ca: byRole(certs, platformCACN, processorCACN)}
	switch {
	case top == nil || c.leaf == nil || c.ca == nil:
		return nil, faultf(ClassPCKChain, "the chain is not one PCK certificate, one PCK Platform or Processor CA and one root CA")
	case top != root:
		return nil, faultf(ClassUntrustedRoot, "the root of the PCK chain is not the trusted root")
	}
	if c.ca, ok = ca(c.ca); !ok {
		return nil, faultf(ClassPCKChain, "the root did not issue the PCK CA as a CA")
	}
	switch {
	case !c.leaf.issuedBy(c.ca):
		return nil, faultf(ClassPCKChain, "the PCK CA did not issue the PCK certificate")
	case c.leaf.ca || c.leaf.keyUsage&0x80 == 0:
		return nil, faultf(ClassPCKCert, "the PCK certificate is a CA or may not sign")
	case c.leaf.present&extProfile != extProfile:
		return nil, faultf(ClassPCKExtension, "the PCK certificate lacks a standard extension")
	}
	if c.pck, ok = parsePCK(c.leaf.sgx); !ok {
		return nil, faultf(ClassPCKExtension, "the SGX extension of the PCK certificate is missing or malformed")
	}
	return c, nil
}

// isCA says whether the root issued the certificate as a PCK CA.
func (c *certificate) isCA(root *certificate) bool {
	return c.ca && c.keyUsage&0x06 == 0x06 && c.present&extProfile == extProfile && c.issuedBy(root)
}

// verifySigner checks a TCB signing chain of exactly signer and root; class is the chain's.
func verifySigner(text string, root *certificate, class Class) (*certificate, *fault) {
	certs, ok := readChain([]byte(text), root)
	if !ok {
		return nil, faultf(class, "not certificates of Intel's profile in PEM")
	}
	top, signer := byRole(certs, rootCN), byRole(certs, tcbSignerCN)
	switch {
	case top == nil:
		return nil, faultf(class, "the chain has no root CA")
	case len(certs) == 1:
		return nil, faultf(class, "the chain has no TCB signing certificate")
	case signer == nil:
		return nil, faultf(ClassTCBSigningCert, "the chain is not a TCB signing certificate's")
	case len(certs) != 2:
		return nil, faultf(class, "the chain is not exactly TCB signing certificate and root")
	case top != root:
		return nil, faultf(ClassUntrustedRoot, "the root of the TCB signing chain is not the trusted root")
	case !signer.issuedBy(root):
		return nil, faultf(class, "the root did not issue the TCB signing certificate")
	case signer.ca || signer.keyUsage&0x80 == 0 || signer.present&extProfile != extProfile:
		return nil, faultf(ClassTCBSigningCert, "the TCB signing certificate is a CA, may not sign or lacks a standard extension")
	}
	return signer, nil
}

// trustRoot is a root and what reports say of it.
type trustRoot struct {
	*certificate
	sha256    [32]byte // of the DER
	keySHA384 [48]byte // of the public key, x||y
	intel     bool
}

// maxRootSize bounds what a Verifier remembers of roots; Intel's has 659 bytes.
const maxRootSize = 8 << 10

// newTrustRoot reads a root that is trusted by its bytes. Its own signature would prove nothing more.
func newTrustRoot(raw []byte) (*trustRoot, bool) {
	c, ok := parseCertificate(raw)
	if !ok || len(raw) > maxRootSize || c.cn != rootCN || !c.ca || c.keyUsage&0x06 != 0x06 || !bytes.Equal(c.issuer, c.subject) {
		return nil, false
	}
	return &trustRoot{c, sha256.Sum256(raw), sha512.Sum384(c.spki[len(c.spki)-64:]), bytes.Equal(raw, IntelRoot())}, true
}
