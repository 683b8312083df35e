package ratls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"slices"
)

// ServerConfig serves one certificate over TLS 1.3 and nothing older.
func ServerConfig(cert tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{cert},
		NextProtos:   []string{"h2", "http/1.1"},
	}
}

// Accept says whether a peer's key (SubjectPublicKeyInfo, DER) is one that an accepted boot statement names.
// A nil Accept accepts nobody.
type Accept func(spki []byte) bool

// Keys accepts exactly these keys.
func Keys(spkis ...[]byte) Accept {
	return func(spki []byte) bool {
		return slices.ContainsFunc(spkis, func(k []byte) bool { return len(k) > 0 && bytes.Equal(k, spki) })
	}
}

// ClientConfig connects only to a server whose key accept knows. Certificates carry keys here and nothing else:
// authorities, names and dates are not looked at, because the boot statement's key replaces all of them.
func ClientConfig(accept Accept) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // replaced by VerifyConnection on the next line
		VerifyConnection:   accept.verify,
	}
}

// MutualServerConfig is ServerConfig that also demands a client certificate whose key accept knows.
func MutualServerConfig(cert tls.Certificate, accept Accept) *tls.Config {
	c := ServerConfig(cert)
	c.ClientAuth = tls.RequireAnyClientCert // whose key: VerifyConnection
	c.VerifyConnection = accept.verify
	return c
}

// MutualClientConfig is ClientConfig that shows its own certificate.
func MutualClientConfig(cert tls.Certificate, accept Accept) *tls.Config {
	c := ClientConfig(accept)
	c.Certificates = []tls.Certificate{cert}
	return c
}

// ErrUnknownKey is a peer whose key no accepted boot statement names.
var ErrUnknownKey = errors.New("ratls: the peer's TLS key is in no boot statement that was accepted: verify the peer first")

// verify runs on every connection, resumed ones too.
func (a Accept) verify(state tls.ConnectionState) error {
	if a == nil || len(state.PeerCertificates) == 0 || !a(PublicKey(state.PeerCertificates[0])) {
		return ErrUnknownKey
	}
	return nil
}
