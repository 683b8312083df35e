package dstack

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"path"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// keyPurpose enters the signature chain of v0 keys, not their bytes.
const keyPurpose = "teapot"

type keyAnswer struct {
	Key            hexBytes   `json:"key"`
	SignatureChain []hexBytes `json:"signature_chain"`
	K256Key        hexBytes   `json:"k256_key"` // Tappd.DeriveK256Key
	K256Chain      []hexBytes `json:"k256_signature_chain"`
}

// Key derives by the derivation in use.
func (c *Client) Key(ctx context.Context, keyPath string) (attest.Key, error) {
	switch c.derivation {
	case DerivationV1:
		return c.KeyV1(ctx, keyPath, algorithmOf(keyPath))
	case DerivationV0:
		return c.KeyV0(ctx, keyPath, keyPurpose, algorithmOf(keyPath))
	default:
		return c.deriveKey(ctx, keyPath)
	}
}

// algorithmOf is the curve that ends a path of Teapot's; symmetric and P-256 secrets are derived as ed25519, which takes any 32 bytes.
func algorithmOf(keyPath string) string {
	if path.Base(keyPath) == "secp256k1" {
		return "secp256k1"
	}
	return "ed25519"
}

// KeyV0 is GetKey. Agents below 0.5.7 know no algorithm and always sign the secp256k1 key: for ed25519 their chain proves nothing and
// is left out; the 32 bytes are the same.
func (c *Client) KeyV0(ctx context.Context, keyPath, purpose, algorithm string) (attest.Key, error) {
	request := map[string]string{"path": keyPath, "purpose": purpose}
	if c.offer.signs {
		request["algorithm"] = algorithm
	}
	method := "/GetKey"
	if !c.offer.v0 && c.offer.tappdK256 {
		method = "/prpc/Tappd.DeriveK256Key"
	}
	key, err := c.getKey(ctx, method, request)
	key.API, key.Purpose = "dstack/v0", purpose
	if !c.offer.signs && algorithm != "secp256k1" {
		key.Chain = nil
	}
	return key, err
}

// KeyV1 is /v1/GetKey.
func (c *Client) KeyV1(ctx context.Context, domain, algorithm string) (attest.Key, error) {
	key, err := c.getKey(ctx, "/v1/GetKey", map[string]string{"domain": domain, "algorithm": algorithm})
	key.API = "dstack/v1"
	return key, err
}

func (c *Client) getKey(ctx context.Context, method string, request map[string]string) (attest.Key, error) {
	var a keyAnswer
	if err := c.http.call(ctx, method, request, &a, true); err != nil {
		return attest.Key{}, err
	}
	if a.K256Key != nil {
		a.Key, a.SignatureChain = a.K256Key, a.K256Chain
	}
	if len(a.Key) != 32 {
		return attest.Key{}, fmt.Errorf("guest agent: %s: key of %d bytes, want 32", method, len(a.Key))
	}
	key := attest.Key{Secret: [32]byte(a.Key)}
	for _, link := range a.SignatureChain {
		key.Chain = append(key.Chain, link)
	}
	return key, nil
}

// deriveKey is Tappd.DeriveKey. The chain is the DER of the certificates, leaf first: the only voucher tappd has.
func (c *Client) deriveKey(ctx context.Context, keyPath string) (attest.Key, error) {
	var a struct {
		Key              string   `json:"key"`
		CertificateChain []string `json:"certificate_chain"`
	}
	err := c.http.call(ctx, "/prpc/Tappd.DeriveKey", map[string]string{"path": keyPath, "subject": keyPurpose}, &a, true)
	if err != nil {
		return attest.Key{}, err
	}
	block, _ := pem.Decode([]byte(a.Key))
	if block == nil || block.Type != "PRIVATE KEY" || len(block.Bytes) != 138 {
		return attest.Key{}, errors.New("guest agent: Tappd.DeriveKey: the key is not the PEM of a P-256 key in PKCS#8")
	}
	key := attest.Key{Secret: sha256.Sum256(block.Bytes), API: "tappd/0.3"}
	for _, text := range a.CertificateChain {
		if cert, _ := pem.Decode([]byte(text)); cert != nil {
			key.Chain = append(key.Chain, cert.Bytes)
		}
	}
	return key, nil
}

// DeriveKey is Tappd.DeriveKey as Eliza's wallets use it: the PKCS#8 DER. From 0.4 on the same key comes out of GetKey, which is all
// that dstack.sock has; there is no other way on a v1-only agent.
func (c *Client) DeriveKey(ctx context.Context, keyPath, subject string) ([]byte, error) {
	var a struct {
		Key string `json:"key"`
	}
	err := c.http.call(ctx, "/prpc/Tappd.DeriveKey", map[string]string{"path": keyPath, "subject": subject}, &a, true)
	if missing(err) && c.offer.v0 {
		return c.deriveByGetKey(ctx, keyPath)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(a.Key))
	if block == nil {
		return nil, errors.New("guest agent: Tappd.DeriveKey: the key is not PEM")
	}
	return block.Bytes, nil
}

func (c *Client) deriveByGetKey(ctx context.Context, keyPath string) ([]byte, error) {
	key, err := c.KeyV0(ctx, keyPath, keyPurpose, "secp256k1")
	if err != nil {
		return nil, err
	}
	pair, err := dstackkey.P256(key.Secret)
	if err != nil {
		return nil, err
	}
	return dstackkey.DER(pair)
}
