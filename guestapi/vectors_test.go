package guestapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/guestapi"
)

// TestGetKeyVectors: the values of guest-api-v0.md and of upstream's two published fixtures (facts/dstack.md section 3.4).
func TestGetKeyVectors(t *testing.T) {
	for _, v := range []struct{ root, path, purpose, key, link0 string }{
		{
			exampleRoot, "test", "signing",
			"52786aa123b0971e283af97f32e25767483d099d66e6c40afeb3a49046b5379e",
			"c8a3dcf06c4e95bd78a5d7a1c8fcff171fc5848cfae804c6fc11bda4dc5d4062379995390843827444992c4c0e4bac70f0f878e01b9fc8b98cd7126fe5a3876b01",
		},
		{
			"e0e5d254fb944dcc370a2e5288b336a1e809871545a73ee645368957fefa31f9", "test", "signing",
			"635a38ed9ba65cff14ec7be7b640ec1fc33a77e40eeaba061961be4777aca332",
			"22676fca95450c50e3ef5c9f25fadcad8a96f5a505d282f34156a37f1ecbc0f94c6cf6a0c2bda8905c9273a9a9c56a80c011c92f94bcf21ac4d13e43327805f401",
		},
		{
			"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d", "test", "signing",
			"133e8ca6e532ead3e38f00347408771da296e9c70e8e3e362f485154e64ef4e8",
			"c2ac442934a10d730c14b553e6b93e4db61aa7afa48b7aa51e649841115d6f4160a29b24a87e0ef4c02e37c10b176913f1449ebb41466fccdc44a6ef5d9b247300",
		},
		{"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d", "", "", "aa221ae548b5a8f52fcb8687cfd873712f6a1232b2717e5ee3d58ab74f21905b", ""},
		{"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d", "/", "", "f6c1ed94488394d78e0a4e5ab75d62e9f085d73b0b555d0614fb90ca13d9464d", ""},
		{"e0e5d254fb944dcc370a2e5288b336a1e809871545a73ee645368957fefa31f9", "", "", "38309afef2058aef6aee6ef7baca26942986ee387836a0dbdb5791f4f5a8142c", ""},
		{"e0e5d254fb944dcc370a2e5288b336a1e809871545a73ee645368957fefa31f9", "/", "", "082d197907da848f8095f86c3a723bf75a082e97723e000fe3dffbf08b958ea8", ""},
	} {
		s, err := guestapi.New(guestapi.Options{Attester: &guest{}, Keys: newRoot(t, v.root), Policy: guestapi.AllowEverything()})
		must(t, err)
		_, got := post(t, s, "/GetKey", `{"path":"`+v.path+`","purpose":"`+v.purpose+`"}`)
		if got["key"] != v.key {
			t.Errorf("root %.8s, path %q: key %v, want %s", v.root, v.path, got["key"], v.key)
		}
		if chain := got["signature_chain"].([]any); len(chain) != 2 || v.link0 != "" && chain[0] != v.link0 || chain[1] != "" {
			t.Errorf("root %.8s, path %q: chain %v, want %s and no KMS link", v.root, v.path, chain, v.link0)
		}
	}
}

// TestGetKeyV1Vectors: guest-api-v1.md.
func TestGetKeyV1Vectors(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	for _, v := range []struct{ domain, algorithm, key, pub, link0 string }{
		{
			"", "secp256k1", "59f60584ce6fd2a3a31997256db9d77322463fc8a6b1520110401bcb1ee92387",
			"0377c7fb050db181d392266a3cee9adb2901c6d665f11bac68be5457f577ba4908",
			"64d1fa91d9a9d5506472633d70118f5b9ae37bed252333faab8b06e08562367572a32909814a4bb66a46e5236f611a2cd3b08dfbaca54316b734c43cb6608e8800",
		},
		{
			"", "ed25519", "b023493030669cf22e9cafa6a464d4cf3ae4edfe5474ec796710f21ea011946d",
			"a3dc149fd5b765eab2eb7d3174fa939e39386898f10b15b7b146f6f1358ecf2a",
			"4bf1a83941fd50157e75004306f6738997a471a755e2c7d87673705ee2952260653dc0d6dca3f76d5371affd82220c40595c508e9f58f1b84fc8ee4dce57e2fa00",
		},
		{
			"storage-encryption", "secp256k1", "5510330f86902ddae38c6d89c93a8408019332c17a429e1abd01c4a28d1544a6",
			"03d962450a41748021c8b02787ac36ce642ff0ae25f4c55019eb527e1112cfd764",
			"5b6193729ce7976ec67863f21692d4b98c69832698aae8e001a7d33a6f818b6e46ca950725b6e90e8ca9bcf394abd03ce264bf9b7eec1e91693247f9dd53c26901",
		},
		{
			`k\u0000:ey`, "ed25519", "42da8bf0b479ed125c370e3b91f982735bf08ff592abbd586985affa43ee96a1",
			"c833107822b003ff5675b33b90b151d4315c3ab9162b17d876e8dffde41abf9b",
			"9ec0b9c708eb12ccdf52a6e2955b4d52072820c5760b08deb508c35cee0306032b838e6bfb7f135ebb061fcff8e532e23be660496605ca48c7f65d952b705aae00",
		},
	} {
		_, got := post(t, s, "/v1/GetKey", `{"domain":"`+v.domain+`","algorithm":"`+v.algorithm+`"}`)
		chain, _ := got["signature_chain"].([]any)
		if got["key"] != v.key || got["public_key"] != v.pub || len(chain) != 2 || chain[0] != v.link0 {
			t.Errorf("%q %s: got %v", v.domain, v.algorithm, got)
		}
	}
	for _, algorithm := range []string{"", "k256", "secp256k1_prehashed", "p256"} {
		if code, got := post(t, s, "/v1/GetKey", `{"domain":"d","algorithm":"`+algorithm+`"}`); code != 400 || got["error"] != "Unsupported algorithm" {
			t.Errorf("v1 algorithm %q: %d %v", algorithm, code, got)
		}
	}
}

// TestDeriveKeyBytes: the PKCS#8 bytes that clients hash into wallets (facts/dstack.md section 3.4, sha256(DER)).
func TestDeriveKeyBytes(t *testing.T) {
	for root, want := range map[string]string{
		"e0e5d254fb944dcc370a2e5288b336a1e809871545a73ee645368957fefa31f9": "e98a07d22b59a995be4e7f9e831ea19dc6e0556b1306c4f962214c24361c1c79",
		"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d": "6eec649aacad9327713a3a4f3e9ea0a0e6ecb476aaa0c53dc78a04f9fb1ff3af",
	} {
		s, err := guestapi.New(guestapi.Options{Attester: &guest{}, Keys: newRoot(t, root), Policy: guestapi.AllowEverything()})
		must(t, err)
		_, got := post(t, s, "/prpc/Tappd.DeriveKey", `{"path":"test","subject":"anything"}`)
		block, rest := pem.Decode([]byte(got["key"].(string)))
		sum := sha256.Sum256(block.Bytes)
		if hex.EncodeToString(sum[:]) != want || len(block.Bytes) != 138 || len(rest) != 0 || block.Type != "PRIVATE KEY" {
			t.Errorf("root %.8s: sha256(DER) %x, want %s", root, sum, want)
		}
		if key := got["key"].(string); strings.Contains(key, "\r") || !strings.HasSuffix(key, "\n") {
			t.Errorf("PEM form changed: %q", key)
		}
	}
}

// TestAppKeyAttestation: dip1 report data of Worker.GetAttestationForAppKey (facts/dstack.md section 2.2).
func TestAppKeyAttestation(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	for algorithm, want := range map[string]string{
		"ed25519":   "dip1::ed25519-pk:5Pbre1Amf1hrp2V2bbfKlIfxpQb2pJAmrgmhxgVoG9s",
		"secp256k1": "dip1::secp256k1c-pk:A6t_JdVkVdMAocH3f1f20WGT6JzdntxcXimUtEax8zc9",
	} {
		_, got := post(t, s, "/prpc/Worker.GetAttestationForAppKey", `{"algorithm":"`+algorithm+`"}`)
		if data := strings.TrimRight(string(reportDataOf(t, got["quote"])), "\x00"); data != want {
			t.Errorf("%s: report data %q, want %q", algorithm, data, want)
		}
	}
}
