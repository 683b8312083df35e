package guestapi_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"testing"

	"github.com/teapot-tee/teapot/guestapi"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// TestAppKeysFixture: the shape of upstream's appkeys.json with the key of its 0.5.7 fixture, and the signatures it must give
// (facts/dstack.md section 3.4).
func TestAppKeysFixture(t *testing.T) {
	ca, err := dstackkey.P256([32]byte(unhex(t, "d4f60214a61f0e651fbf97e4b2da696ac7f898f1aa9f3d1f1282c49c6c7c0a72")))
	must(t, err)
	der, err := dstackkey.DER(ca)
	must(t, err)
	made, err := guestapi.SelfSignedCA(ca, "Dstack")
	must(t, err)
	file, err := json.Marshal(map[string]any{
		"k256_key":       "d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d",
		"k256_signature": "9e618603e72d01fedb82deff6daf2d62a572becf0059eec3f89c1ab40e1f2e594d2a283f843f34e8f39e4cc49a612496ce67223a12ac923f8efe330346dfc6c500",
		"ca_cert":        string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate})),
		"key_provider":   map[string]any{"None": map[string]any{"key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}},
		"disk_crypt_key": "", "env_crypt_key": "", "gateway_app_id": "any",
	})
	must(t, err)
	root, err := guestapi.RootFromAppKeys(file)
	must(t, err)
	s, err := guestapi.New(guestapi.Options{Attester: &guest{}, Keys: root, Policy: guestapi.AllowEverything()})
	must(t, err)
	_, got := post(t, s, "/GetKey", `{"path":"test","purpose":"signing"}`)
	chain := got["signature_chain"].([]any)
	if got["key"] != "133e8ca6e532ead3e38f00347408771da296e9c70e8e3e362f485154e64ef4e8" ||
		chain[0] != "c2ac442934a10d730c14b553e6b93e4db61aa7afa48b7aa51e649841115d6f4160a29b24a87e0ef4c02e37c10b176913f1449ebb41466fccdc44a6ef5d9b247300" ||
		chain[1] != "9e618603e72d01fedb82deff6daf2d62a572becf0059eec3f89c1ab40e1f2e594d2a283f843f34e8f39e4cc49a612496ce67223a12ac923f8efe330346dfc6c500" {
		t.Errorf("GetKey: %v", got)
	}
	_, derived := post(t, s, "/prpc/Tappd.DeriveKey", `{"path":"test"}`)
	block, _ := pem.Decode([]byte(derived["key"].(string)))
	if sum := sha256.Sum256(block.Bytes); hex.EncodeToString(sum[:]) != "6eec649aacad9327713a3a4f3e9ea0a0e6ecb476aaa0c53dc78a04f9fb1ff3af" {
		t.Errorf("DeriveKey: %x", sum)
	}
	issuer, err := x509.ParseCertificate(made.Certificate)
	must(t, err)
	must(t, certificate(t, derived["certificate_chain"].([]any)[0]).CheckSignatureFrom(issuer))
	for _, bad := range []string{`{}`, `{"k256_key":"00"}`, `[`, `{"k256_key":"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d"}`} {
		if _, err := guestapi.RootFromAppKeys([]byte(bad)); err == nil {
			t.Errorf("accepted %s", bad)
		}
	}
}
