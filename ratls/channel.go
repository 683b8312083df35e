package ratls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/evidence"
)

// ExporterLabel is Teapot's own exporter label (RFC 8446 section 7.5, RFC 5705; the shape of RFC 9266). The context is the
// caller's nonce, so two sessions on one connection have different exporters.
const ExporterLabel = "EXPORTER-teapot-session-v1"

// exporterSize is 32 bytes.
const exporterSize = 32

// TLSChannel is the channel both ends of one connection compute: the exporter over the caller's nonce and the SHA-256 of
// the server's leaf certificate (DER). It refuses anything older than TLS 1.3, whose exporters a relay could share.
func TLSChannel(state *tls.ConnectionState, leaf, nonce []byte) (evidence.Channel, error) {
	return tlsChannel(state, ExporterLabel, leaf, nonce)
}

func tlsChannel(state *tls.ConnectionState, label string, leaf, nonce []byte) (evidence.Channel, error) {
	if state == nil || !state.HandshakeComplete {
		return evidence.Channel{}, errors.New("no TLS connection to bind to")
	}
	if state.Version < tls.VersionTLS13 {
		return evidence.Channel{}, errors.New("the connection is older than TLS 1.3")
	}
	exported, err := state.ExportKeyingMaterial(label, nonce, exporterSize)
	if err != nil {
		return evidence.Channel{}, fmt.Errorf("exporting keying material: %w", err)
	}
	sum := sha256.Sum256(leaf)
	return evidence.Channel{Kind: evidence.ChannelTLS, Exporter: exported, Leaf: sum[:]}, nil
}

// ClientChannel is what a client saw of its connection: TLSChannel with the peer's leaf certificate.
func ClientChannel(state *tls.ConnectionState, nonce []byte) (evidence.Channel, error) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return evidence.Channel{}, errors.New("the server showed no certificate")
	}
	return TLSChannel(state, state.PeerCertificates[0].Raw, nonce)
}

// PublicKey is the SubjectPublicKeyInfo (DER) of a certificate, the form in which the boot statement names the TLS key.
func PublicKey(cert *x509.Certificate) []byte { return cert.RawSubjectPublicKeyInfo }
