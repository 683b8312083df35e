package dcap

import (
	"bytes"
	"encoding/hex"
	"sync"
)

// material is collateral, read and checked under one root as far as neither time nor quote matter. Every part is
// either there or has a fault.
type material struct {
	root *certificate

	rootCRL      *crl
	rootCRLFault *fault
	pckCRL       *crl
	pckCRLFault  *fault // format only; issuer and signature depend on the quote's CA

	info       *tcbInfo
	infoFault  *fault
	infoSigner signed

	identity       *qeIdentity
	identityFault  *fault
	identitySigner signed

	mu       sync.Mutex            // guards pckCRLBy
	pckCRLBy map[*certificate]bool // CA → its signature on pckCRL is good; CAs are interned by the Verifier
}

// signed is who signed a document, and whether.
type signed struct {
	signer         *certificate
	chainFault     *fault
	signatureFault *fault
}

func readMaterial(c *Collateral, root *certificate) *material {
	m := &material{root: root}
	m.rootCRL, m.rootCRLFault = verifyRootCRL(c.RootCACRL, root)
	var ok bool
	if m.pckCRL, ok = parseCRL(c.PCKCRL); !ok {
		m.pckCRLFault = faultf(ClassCRLFormat, "the PCK revocation list is missing or malformed")
	}
	if m.info, ok = parseTCBInfo(c.TCBInfo); !ok {
		m.infoFault = faultf(ClassTCBInfoFormat, "TCB info is missing or not a document of version 2 or 3 as Intel publishes it")
	}
	if m.identity, ok = parseIdentity(c.QEIdentity); !ok {
		m.identityFault = faultf(ClassQEIDFormat, "the QE identity is missing or not a document of version 2 as Intel publishes it")
	}
	m.infoSigner.signer, m.infoSigner.chainFault = verifySigner(c.TCBInfoIssuerChain, root, ClassTCBChain)
	if c.QEIdentityIssuerChain == c.TCBInfoIssuerChain && m.infoSigner.chainFault == nil {
		m.identitySigner.signer = m.infoSigner.signer
	} else {
		m.identitySigner.signer, m.identitySigner.chainFault = verifySigner(c.QEIdentityIssuerChain, root, ClassQEIDChain)
	}
	m.infoSigner.verify(c.TCBInfo, c.TCBInfoSignature, ClassTCBInfoSignature)
	m.identitySigner.verify(c.QEIdentity, c.QEIdentitySignature, ClassQEIDSignature)
	return m
}

// verify checks the signature over the exact bytes of a document.
func (s *signed) verify(document, signature string, class Class) {
	rs, err := hex.DecodeString(signature)
	switch {
	case s.chainFault != nil:
		return // nobody to verify with: reported as the chain's fault
	case err != nil || len(rs) != 64:
		s.signatureFault = faultf(class, "the signature is not 64 bytes in hex")
	case !verifyRaw(s.signer.key, []byte(document), rs):
		s.signatureFault = faultf(class, "the TCB signing key did not sign these bytes")
	}
}

func verifyRootCRL(text string, root *certificate) (*crl, *fault) {
	c, ok := parseCRL(text)
	switch {
	case !ok:
		return nil, faultf(ClassCRLFormat, "the root revocation list is missing or malformed")
	case !bytes.Equal(c.issuer, root.subject):
		return nil, faultf(ClassCRLIssuer, "the root revocation list is not the root's")
	case !c.signedBy(root):
		return nil, faultf(ClassCRLSignature, "the root did not sign the root revocation list")
	}
	return c, nil
}

// pckCRLOf checks that the quote's own CA issued and signed the PCK revocation list.
func (m *material) pckCRLOf(ca *certificate) *fault {
	if m.pckCRLFault != nil {
		return m.pckCRLFault
	}
	if !bytes.Equal(m.pckCRL.issuer, ca.subject) {
		return faultf(ClassCRLIssuer, "the PCK revocation list is not from the CA that issued the PCK certificate")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	good, known := m.pckCRLBy[ca]
	if !known {
		good = m.pckCRL.signedBy(ca)
		if m.pckCRLBy == nil {
			m.pckCRLBy = make(map[*certificate]bool)
		}
		if len(m.pckCRLBy) < 16 { // a root has two such CAs
			m.pckCRLBy[ca] = good
		}
	}
	if !good {
		return faultf(ClassCRLSignature, "the PCK CA did not sign the PCK revocation list")
	}
	return nil
}
