package openai

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/keys"
)

// Signatures says how a provider of confidential inference signs: GET {endpoint}/signature/{chat id}?model=&signing_algo=
// answers {text, signature}, where text is hex SHA-256 of the exact request ":" hex SHA-256 of the exact response.
type Signatures struct {
	Algorithm string // "ecdsa" (EIP-191) or "ed25519"; "" asks for none
	Signer    string // the address or hex key that must have signed, from the provider's attestation; "" accepts and says so
}

type signed struct {
	Text      string `json:"text"`
	Signature string `json:"signature"`
	Address   string `json:"signing_address"`
}

// sign fetches and checks the provider's signature. A signature that is missing or wrong does not stop the agent: it is
// on the record as not verified.
func (m *Model) sign(ctx context.Context, id, name string, e *model.Exchange) {
	if m.config.Signatures.Algorithm == "" {
		return
	}
	s := &model.Signature{Algorithm: m.config.Signatures.Algorithm, Signer: m.config.Signatures.Signer}
	e.Signature = s
	got, err := m.fetchSignature(ctx, id, name)
	if err != nil {
		s.Detail = err.Error()
		return
	}
	s.Text, s.Signature = got.Text, got.Signature
	s.Detail, s.Verified = check(s, got, e)
}

func (m *Model) fetchSignature(ctx context.Context, id, name string) (signed, error) {
	q := url.Values{"model": {name}, "signing_algo": {m.config.Signatures.Algorithm}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url("/signature/"+url.PathEscape(id)+"?"+q.Encode()), nil)
	if err != nil {
		return signed{}, fmt.Errorf("asking for the signature: %w", err)
	}
	req.Header = m.header()
	resp, err := m.client.HTTP.Do(req)
	if err != nil {
		return signed{}, fmt.Errorf("asking for the signature: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return signed{}, fmt.Errorf("asking for the signature: HTTP %d", resp.StatusCode)
	}
	var s signed
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&s); err != nil {
		return signed{}, fmt.Errorf("reading the signature: %w", err)
	}
	return s, nil
}

func check(s *model.Signature, got signed, e *model.Exchange) (detail string, ok bool) {
	want := hash(e.Request) + ":" + hash(e.Response)
	if !strings.EqualFold(got.Text, want) {
		return "the provider signed other bytes than those sent and received", false
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(got.Signature, "0x"))
	if err != nil {
		return "the signature is no hex", false
	}
	switch s.Algorithm {
	case "ecdsa":
		return checkECDSA(s, got, raw)
	case "ed25519":
		return checkEd25519(s, got, raw)
	}
	return fmt.Sprintf("unknown algorithm %q", s.Algorithm), false
}

func checkECDSA(s *model.Signature, got signed, raw []byte) (string, bool) {
	if len(raw) != 65 {
		return fmt.Sprintf("the signature has %d bytes, want 65", len(raw)), false
	}
	if raw[64] < 27 {
		raw[64] += 27
	}
	address, err := keys.RecoverEVM([]byte(got.Text), [65]byte(raw))
	if err != nil {
		return err.Error(), false
	}
	return signer(s, address)
}

func checkEd25519(s *model.Signature, got signed, raw []byte) (string, bool) {
	claimed := s.Signer
	if claimed == "" {
		claimed = got.Address
	}
	pub, err := hex.DecodeString(strings.TrimPrefix(claimed, "0x"))
	if err != nil || len(pub) != ed25519.PublicKeySize {
		return "the signer is no Ed25519 key in hex", false
	}
	if !ed25519.Verify(pub, []byte(got.Text), raw) {
		return "the signature does not verify", false
	}
	return signer(s, claimed)
}

// signer compares who signed with who should have.
func signer(s *model.Signature, who string) (string, bool) {
	if s.Signer == "" {
		s.Signer = who
		return "signed by " + who + "; no expected signer is configured, so this proves only that one key signed", false
	}
	if !strings.EqualFold(s.Signer, who) {
		return fmt.Sprintf("signed by %s, not by %s", who, s.Signer), false
	}
	return "signed by the expected key", true
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
