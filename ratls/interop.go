package ratls

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
)

// EvidenceOID is id-tcg-dice-TaggedEvidence, 2.23.133.5.4.9: the extension in which interoperable RA-TLS (CCC) carries
// evidence. It is not critical.
func EvidenceOID() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 23, 133, 5, 4, 9} }

// Hash algorithms of the claim "pubkey-hash" (IANA named information hash algorithms).
const (
	hashSHA256 = 1
	hashSHA384 = 7
	hashSHA512 = 8
)

// CBOR heads used here (RFC 8949 section 3).
const (
	cborUint  = 0 << 5
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborArray = 4 << 5
	cborMap   = 5 << 5
	cborTag   = 6 << 5

	evidenceTag = 60000 // tagged evidence of TEE quotes: [quote, claims]
	pubkeyHash  = "pubkey-hash"
	nonceClaim  = "nonce"
)

// Claims returns the claims buffer over a public key (SubjectPublicKeyInfo, DER): the map {"pubkey-hash": bstr .cbor
// [7, SHA-384(spki)]}. These bytes are made for others (design.md's closed list); Teapot never accepts them as proof.
func Claims(spki []byte) []byte {
	sum := sha512.Sum384(spki)
	hash := appendHead(nil, cborArray, 2)
	hash = appendHead(hash, cborUint, hashSHA384)
	hash = appendBytes(hash, cborBytes, sum[:])
	claims := appendHead(nil, cborMap, 1)
	claims = appendBytes(claims, cborText, []byte(pubkeyHash))
	return appendBytes(claims, cborBytes, hash)
}

// ClaimsReportData is what the quote beside the claims carries: SHA-256(claims), then 32 zero bytes.
func ClaimsReportData(claims []byte) (rd [64]byte) {
	sum := sha256.Sum256(claims)
	copy(rd[:], sum[:])
	return rd
}

// TaggedEvidence is the value of the extension: tag 60000 over [quote, claims].
func TaggedEvidence(quote, claims []byte) []byte {
	b := appendHead(nil, cborTag, evidenceTag)
	b = appendHead(b, cborArray, 2)
	b = appendBytes(b, cborBytes, quote)
	return appendBytes(b, cborBytes, claims)
}

// CertificateEvidence returns the quote of a certificate's RA-TLS extension after checking that its claims are about the
// certificate's own key. The caller must still verify the quote and compare its report data with ClaimsReportData; and even
// then it has learnt about a key, not about a connection.
func CertificateEvidence(cert *x509.Certificate) (quote, claims []byte, err error) {
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(EvidenceOID()) {
			continue
		}
		if quote, claims, err = parseTagged(ext.Value); err != nil {
			return nil, nil, fmt.Errorf("RA-TLS evidence: %w", err)
		}
		return quote, claims, checkClaims(claims, cert.RawSubjectPublicKeyInfo)
	}
	return nil, nil, errors.New("RA-TLS evidence: the certificate carries none")
}

func parseTagged(b []byte) (quote, claims []byte, err error) {
	r := cborReader{b: b}
	r.expect(cborTag, evidenceTag)
	r.expect(cborArray, 2)
	quote, claims = r.bytes(cborBytes), r.bytes(cborBytes)
	return quote, claims, r.end()
}

// checkClaims accepts the claims of other implementations too: any of three hashes, and a nonce, in either order.
func checkClaims(claims, spki []byte) error {
	r := cborReader{b: claims}
	found := false
	for n := r.head(cborMap); n > 0 && r.err == nil; n-- {
		switch key := string(r.bytes(cborText)); {
		case key == pubkeyHash && !found:
			found = true
			if err := checkKeyHash(r.bytes(cborBytes), spki); err != nil && r.err == nil {
				return err
			}
		case key == nonceClaim:
			r.bytes(cborBytes)
		default:
			r.fail("unknown claim")
		}
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("RA-TLS claims: %w", err)
	}
	if !found {
		return errors.New("RA-TLS claims: no pubkey-hash")
	}
	return nil
}

func checkKeyHash(b, spki []byte) error {
	r := cborReader{b: b}
	r.expect(cborArray, 2)
	alg, got := r.head(cborUint), r.bytes(cborBytes)
	if err := r.end(); err != nil {
		return fmt.Errorf("RA-TLS claims: pubkey-hash: %w", err)
	}
	var want []byte
	switch alg {
	case hashSHA256:
		s := sha256.Sum256(spki)
		want = s[:]
	case hashSHA384:
		s := sha512.Sum384(spki)
		want = s[:]
	case hashSHA512:
		s := sha512.Sum512(spki)
		want = s[:]
	default:
		return fmt.Errorf("RA-TLS claims: unknown hash algorithm %d", alg)
	}
	if !bytes.Equal(got, want) {
		return errors.New("RA-TLS claims: they are about another key than the certificate's")
	}
	return nil
}

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
}

func appendBytes(b []byte, major byte, v []byte) []byte {
	return append(appendHead(b, major, uint64(len(v))), v...)
}
