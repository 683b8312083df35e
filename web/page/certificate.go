package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/teapot-tee/teapot/dcap"
)

// Certificate is one certificate as it reads. Whether its signature and its place are right is among the verdict's checks.
type Certificate struct {
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	Serial     string    `json:"serial"`
	NotBefore  time.Time `json:"not_before"`
	NotAfter   time.Time `json:"not_after"`
	SHA256     string    `json:"sha256"`
	Root       bool      `json:"root,omitempty"`   // issued by itself
	Pinned     bool      `json:"pinned,omitempty"` // and its bytes are the pinned Intel root's
	Revocation string    `json:"revocation"`       // "good", "revoked", "unknown": no list at hand

	issuer []byte
	serial *big.Int
}

// certificates reads every certificate in a PEM text, in its order, and looks each up in the revocation lists.
func certificates(text []byte, lists []*revocations) []Certificate {
	var all []Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, ok := readCertificate(block.Bytes)
		if !ok {
			c = Certificate{Subject: "unreadable certificate", Revocation: "unknown"}
		}
		c.lookup(lists)
		all = append(all, c)
	}
	return all
}

func (c *Certificate) lookup(lists []*revocations) {
	c.Revocation = "unknown"
	for _, l := range lists {
		if c.serial == nil || l == nil || !bytes.Equal(l.issuer, c.issuer) {
			continue
		}
		c.Revocation = "good"
		for _, s := range l.serials {
			if s.Cmp(c.serial) == 0 {
				c.Revocation = "revoked"
			}
		}
	}
}

// readCertificate reads the parts of a Certificate (RFC 5280 section 4.1) that people look at.
func readCertificate(raw []byte) (Certificate, bool) {
	s := cryptobyte.String(raw)
	var cert, tbs, issuer, subject, validity cryptobyte.String
	serial := new(big.Int)
	var from, to time.Time
	ok := s.ReadASN1(&cert, der.SEQUENCE) && cert.ReadASN1(&tbs, der.SEQUENCE) &&
		tbs.SkipOptionalASN1(der.Tag(0).ContextSpecific().Constructed()) && tbs.ReadASN1Integer(serial) && tbs.SkipASN1(der.SEQUENCE) &&
		tbs.ReadASN1Element(&issuer, der.SEQUENCE) && tbs.ReadASN1(&validity, der.SEQUENCE) && tbs.ReadASN1Element(&subject, der.SEQUENCE) &&
		readTime(&validity, &from) && readTime(&validity, &to)
	if !ok {
		return Certificate{}, false
	}
	sum := sha256.Sum256(raw)
	return Certificate{
		Subject: name(subject), Issuer: name(issuer), Serial: serial.Text(16), NotBefore: from, NotAfter: to, SHA256: hex.EncodeToString(sum[:]),
		Root: bytes.Equal(issuer, subject), Pinned: bytes.Equal(raw, dcap.IntelRoot()), issuer: issuer, serial: serial,
	}, true
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(der.GeneralizedTime) {
		return s.ReadASN1GeneralizedTime(t)
	}
	return s.ReadASN1UTCTime(t)
}

// name says a distinguished name's common name, and its organisation where that tells more.
func name(raw cryptobyte.String) string {
	var rdns, set, pair, value cryptobyte.String
	var cn, org string
	if !raw.ReadASN1(&rdns, der.SEQUENCE) {
		return ""
	}
	for !rdns.Empty() {
		var id asn1.ObjectIdentifier
		var tag der.Tag
		if !rdns.ReadASN1(&set, der.SET) || !set.ReadASN1(&pair, der.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&id) || !pair.ReadAnyASN1(&value, &tag) {
			return ""
		}
		switch {
		case id.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}):
			cn = string(value)
		case id.Equal(asn1.ObjectIdentifier{2, 5, 4, 10}):
			org = string(value)
		}
	}
	if org != "" {
		return cn + ", " + org
	}
	return cn
}

// revocations is a certificate revocation list as far as a look-up needs it. Its signature is among the verdict's checks.
type revocations struct {
	issuer  []byte
	serials []*big.Int
}

// readRevocations reads a CertificateList (RFC 5280 section 5.1), DER in hex or PEM; nil when it is none.
func readRevocations(text string) *revocations {
	raw, err := hex.DecodeString(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		raw, err = block.Bytes, nil
	}
	if err != nil {
		return nil
	}
	s := cryptobyte.String(raw)
	var list, tbs, issuer, revoked cryptobyte.String
	var at time.Time
	if !s.ReadASN1(&list, der.SEQUENCE) || !list.ReadASN1(&tbs, der.SEQUENCE) || !tbs.SkipOptionalASN1(der.INTEGER) ||
		!tbs.SkipASN1(der.SEQUENCE) || !tbs.ReadASN1Element(&issuer, der.SEQUENCE) || !readTime(&tbs, &at) {
		return nil
	}
	if (tbs.PeekASN1Tag(der.UTCTime) || tbs.PeekASN1Tag(der.GeneralizedTime)) && !readTime(&tbs, &at) {
		return nil
	}
	r := &revocations{issuer: issuer}
	if !tbs.PeekASN1Tag(der.SEQUENCE) || !tbs.ReadASN1(&revoked, der.SEQUENCE) {
		return r
	}
	for !revoked.Empty() {
		var row cryptobyte.String
		serial := new(big.Int)
		if !revoked.ReadASN1(&row, der.SEQUENCE) || !row.ReadASN1Integer(serial) {
			return nil
		}
		r.serials = append(r.serials, serial)
	}
	return r
}
