package guestapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/keys/dstackkey"
)

var errNoKeys = errors.New("this platform gives callers no keys")

// deriveKey is Tappd.DeriveKey: a P-256 key that depends on the path only, and a certificate for the subject.
func (s *Server) deriveKey(ctx context.Context, q *deriveKeyRequest) (any, error) {
	if err := s.keyPath(q.Path); err != nil {
		return nil, err
	}
	key, err := s.p256For(ctx, q.Path, q.RandomSeed)
	if err != nil {
		return nil, err
	}
	return s.certified(ctx, key, &tlsKeyRequest{
		Subject: q.Subject, AltNames: q.AltNames,
		UsageRATLS: q.UsageRATLS, UsageServerAuth: q.UsageServerAuth, UsageClientAuth: q.UsageClientAuth,
	})
}

func (s *Server) p256For(ctx context.Context, path string, random bool) (*ecdsa.PrivateKey, error) {
	if random {
		return newP256()
	}
	if s.Keys == nil {
		return nil, errNoKeys
	}
	secret, err := s.Keys.Secret(ctx, path)
	if err != nil {
		return nil, err
	}
	key, err := dstackkey.P256(secret)
	if err != nil {
		return nil, fmt.Errorf("choose another path: %w", err)
	}
	return key, nil
}

func newP256() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return key, nil
}

// getTLSKey is a new random key at each call.
func (s *Server) getTLSKey(ctx context.Context, q *tlsKeyRequest) (any, error) {
	key, err := newP256()
	if err != nil {
		return nil, err
	}
	return s.certified(ctx, key, q)
}

// issueCert is v1's name for getTLSKey.
func (s *Server) issueCert(ctx context.Context, q *tlsKeyRequest) (any, error) {
	return s.getTLSKey(ctx, q)
}

func (s *Server) certified(ctx context.Context, key *ecdsa.PrivateKey, q *tlsKeyRequest) (any, error) {
	if err := s.Policy.raTLS(q.UsageRATLS); err != nil {
		return nil, err
	}
	if s.Keys == nil {
		return nil, errNoKeys
	}
	request := CertRequest{
		Subject: q.Subject, AltNames: q.AltNames, ServerAuth: q.UsageServerAuth, ClientAuth: q.UsageClientAuth,
		NotBefore: unixTime(q.NotBefore), NotAfter: unixTime(q.NotAfter),
	}
	var err error
	if request.Extensions, err = s.extensions(ctx, &key.PublicKey, q); err != nil {
		return nil, err
	}
	chain, err := s.Keys.Certify(ctx, &key.PublicKey, request)
	if err != nil {
		return nil, err
	}
	text, err := pemKey(key)
	return &tlsKeyReply{Key: text, CertificateChain: chain}, err
}

func unixTime(seconds *uint64) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return time.Unix(int64(min(*seconds, 1<<37)), 0).UTC()
}

// extensions are dstack's: quote, event log, app id, usage, attestation and app info (dstack ra-tls).
func (s *Server) extensions(ctx context.Context, pub *ecdsa.PublicKey, q *tlsKeyRequest) ([]pkix.Extension, error) {
	who, err := s.identity(ctx)
	if err != nil {
		return nil, err
	}
	contents := []numbered{{3, who.appID}, {4, []byte("app:custom")}}
	if q.UsageRATLS {
		evidence, err := s.ratlsEvidence(ctx, pub, who.vmConfig)
		if err != nil {
			return nil, err
		}
		contents = append(contents, evidence...)
	}
	if q.WithAppInfo {
		info, err := s.packedAppInfo(ctx)
		if err != nil {
			return nil, err
		}
		contents = append(contents, numbered{9, info})
	}
	var out []pkix.Extension
	for _, c := range contents {
		ext, err := dstackExtension(c.last, c.content)
		if err != nil {
			return nil, err
		}
		out = append(out, ext)
	}
	return out, nil
}

// numbered is the content of the extension with the OID 1.3.6.1.4.1.62397.1.last.
type numbered struct {
	last    int
	content []byte
}

// ratlsEvidence binds the certificate's key: report data = SHA-512("ratls-cert:" ‖ SubjectPublicKeyInfo). It carries both the old
// extensions (quote and log) and the newer attestation, so that verifiers of every version find theirs.
func (s *Server) ratlsEvidence(ctx context.Context, pub *ecdsa.PublicKey, vmConfig string) ([]numbered, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	reportData := sha512.Sum512(append([]byte("ratls-cert:"), spki...))
	q, err := s.quote(ctx, reportData)
	if err != nil {
		return nil, err
	}
	a, err := newAttestation(q.Raw, q.EventLog, reportData, vmConfig)
	if err != nil {
		return nil, err
	}
	return []numbered{{1, q.Raw}, {2, logText(q)}, {8, a.scale()}}, nil
}

// getKey is v0's GetKey.
func (s *Server) getKey(ctx context.Context, q *getKeyRequest) (any, error) {
	key, err := s.appKey(ctx, q)
	if err != nil {
		return nil, err
	}
	return &getKeyReply{Key: key.Secret[:], SignatureChain: hexes(key.Chain)}, nil
}

// deriveK256Key is the same key under tappd's name; it knows no algorithm but secp256k1.
func (s *Server) deriveK256Key(ctx context.Context, q *getKeyRequest) (any, error) {
	q.Algorithm = ""
	key, err := s.appKey(ctx, q)
	if err != nil {
		return nil, err
	}
	return &k256KeyReply{Key: key.Secret[:], SignatureChain: hexes(key.Chain)}, nil
}

func (s *Server) appKey(ctx context.Context, q *getKeyRequest) (Key, error) {
	if err := s.keyPath(q.Path); err != nil {
		return Key{}, err
	}
	if s.Keys == nil {
		return Key{}, errNoKeys
	}
	algorithm := q.Algorithm
	if algorithm == "" || algorithm == "k256" {
		algorithm = "secp256k1"
	}
	return s.Keys.GetKey(ctx, q.Path, q.Purpose, algorithm)
}

// getKeyV1 has no default and no alias for the algorithm.
func (s *Server) getKeyV1(ctx context.Context, q *getKeyV1Request) (any, error) {
	if err := s.keyPath(q.Domain); err != nil {
		return nil, err
	}
	if s.Keys == nil {
		return nil, errNoKeys
	}
	key, err := s.Keys.GetKeyV1(ctx, q.Domain, q.Algorithm)
	if err != nil {
		return nil, err
	}
	return &getKeyV1Reply{Key: key.Secret[:], PublicKey: key.Public, SignatureChain: hexes(key.Chain)}, nil
}

func hexes(list [][]byte) []Hex {
	out := make([]Hex, len(list))
	for i, b := range list {
		out[i] = b
	}
	return out
}

// keyPath applies the socket's policy to a key path or v1 domain.
func (s *Server) keyPath(path string) error {
	if s.AllowTeapotStatements && strings.HasPrefix(path, ReservedPrefix) {
		return nil
	}
	return s.Policy.keyPath(path, s.Reserved)
}
