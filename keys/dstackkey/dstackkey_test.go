package dstackkey

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/keys"
)

// Vectors: dstack docs/guest-api-v0.md and guest-api-v1.md (0.6.0), and the app keys of its simulator's fixtures (public).
const (
	docRoot     = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b"
	fixture054  = "e0e5d254fb944dcc370a2e5288b336a1e809871545a73ee645368957fefa31f9"
	fixture057  = "d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d"
	signature54 = "2f431c7956869a4fe3e028c5f9518a935e2d01e81a3628f8b1d178fc2fac7b6d2405ace433624e5568e23c4ed291dbaf60dac79b756837c0fe745154ebfdc0a601"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGetKeyV0(t *testing.T) {
	for _, v := range []struct{ root, path, purpose, key, link0 string }{
		{docRoot, "test", "signing", "52786aa123b0971e283af97f32e25767483d099d66e6c40afeb3a49046b5379e", "c8a3dcf06c4e95bd78a5d7a1c8fcff171fc5848cfae804c6fc11bda4dc5d4062379995390843827444992c4c0e4bac70f0f878e01b9fc8b98cd7126fe5a3876b01"},
		{fixture054, "test", "signing", "635a38ed9ba65cff14ec7be7b640ec1fc33a77e40eeaba061961be4777aca332", "22676fca95450c50e3ef5c9f25fadcad8a96f5a505d282f34156a37f1ecbc0f94c6cf6a0c2bda8905c9273a9a9c56a80c011c92f94bcf21ac4d13e43327805f401"},
		{fixture057, "test", "signing", "133e8ca6e532ead3e38f00347408771da296e9c70e8e3e362f485154e64ef4e8", "c2ac442934a10d730c14b553e6b93e4db61aa7afa48b7aa51e649841115d6f4160a29b24a87e0ef4c02e37c10b176913f1449ebb41466fccdc44a6ef5d9b247300"},
		{fixture054, "", "", "38309afef2058aef6aee6ef7baca26942986ee387836a0dbdb5791f4f5a8142c", ""},
		{fixture057, "", "", "aa221ae548b5a8f52fcb8687cfd873712f6a1232b2717e5ee3d58ab74f21905b", ""},
		{fixture054, "/", "", "082d197907da848f8095f86c3a723bf75a082e97723e000fe3dffbf08b958ea8", ""},
		{fixture057, "/", "", "f6c1ed94488394d78e0a4e5ab75d62e9f085d73b0b555d0614fb90ca13d9464d", ""},
	} {
		root := [32]byte(unhex(t, v.root))
		key := GetKey(root[:], v.path)
		if hex.EncodeToString(key[:]) != v.key {
			t.Errorf("GetKey(%q) = %x, want %s", v.path, key, v.key)
		}
		if v.link0 == "" {
			continue
		}
		pub, err := Public(key, "secp256k1")
		if err != nil {
			t.Fatal(err)
		}
		link, err := Sign(root, ClaimV0(v.purpose, pub))
		if err != nil || hex.EncodeToString(link) != v.link0 {
			t.Errorf("link0 of %q = %x, want %s (%v)", v.path, link, v.link0, err)
		}
	}
}

func TestGetKeyV1(t *testing.T) {
	root := [32]byte(unhex(t, docRoot))
	for _, v := range []struct{ domain, algorithm, key, public, link0 string }{
		{"", "secp256k1", "59f60584ce6fd2a3a31997256db9d77322463fc8a6b1520110401bcb1ee92387", "0377c7fb050db181d392266a3cee9adb2901c6d665f11bac68be5457f577ba4908", "64d1fa91d9a9d5506472633d70118f5b9ae37bed252333faab8b06e08562367572a32909814a4bb66a46e5236f611a2cd3b08dfbaca54316b734c43cb6608e8800"},
		{"", "ed25519", "b023493030669cf22e9cafa6a464d4cf3ae4edfe5474ec796710f21ea011946d", "a3dc149fd5b765eab2eb7d3174fa939e39386898f10b15b7b146f6f1358ecf2a", "4bf1a83941fd50157e75004306f6738997a471a755e2c7d87673705ee2952260653dc0d6dca3f76d5371affd82220c40595c508e9f58f1b84fc8ee4dce57e2fa00"},
		{"storage-encryption", "secp256k1", "5510330f86902ddae38c6d89c93a8408019332c17a429e1abd01c4a28d1544a6", "03d962450a41748021c8b02787ac36ce642ff0ae25f4c55019eb527e1112cfd764", "5b6193729ce7976ec67863f21692d4b98c69832698aae8e001a7d33a6f818b6e46ca950725b6e90e8ca9bcf394abd03ce264bf9b7eec1e91693247f9dd53c26901"},
		{"k\x00:ey", "ed25519", "42da8bf0b479ed125c370e3b91f982735bf08ff592abbd586985affa43ee96a1", "c833107822b003ff5675b33b90b151d4315c3ab9162b17d876e8dffde41abf9b", "9ec0b9c708eb12ccdf52a6e2955b4d52072820c5760b08deb508c35cee0306032b838e6bfb7f135ebb061fcff8e532e23be660496605ca48c7f65d952b705aae00"},
	} {
		key := GetKeyV1(root[:], v.algorithm, v.domain)
		pub, err := Public(key, v.algorithm)
		if err != nil {
			t.Fatal(err)
		}
		link, err := Sign(root, ClaimV1(v.algorithm, v.domain, pub))
		if err != nil || hex.EncodeToString(key[:]) != v.key || hex.EncodeToString(pub) != v.public || hex.EncodeToString(link) != v.link0 {
			t.Errorf("v1 %q %s: key %x, public %x, link %x (%v)", v.domain, v.algorithm, key, pub, link, err)
		}
	}
}

func TestAppRootPublicOfTheFixtures(t *testing.T) {
	for root, want := range map[string]string{
		fixture054: "02b85cceca0c02d878f0ebcda72a97469a472416eb6faf3c4807642132f9786810",
		fixture057: "02818494263695e8839122dbd88e281d7380622999df4e60a14befa0f2d096fc7c",
	} {
		pub, err := Public([32]byte(unhex(t, root)), "secp256k1")
		if err != nil || hex.EncodeToString(pub) != want {
			t.Errorf("app root public key %x, want %s (%v)", pub, want, err)
		}
	}
}

// dstack's derive_dh_secret: SHA-256 of the DER of a key derived in two contexts.
func TestDerivedDERIsUpstreams(t *testing.T) {
	key, err := P256(Derive(unhex(t, "f57527cea4ab7ffb49af99b158cdc0e3ec06398f528349ea236b7d2afe19cec1"), []byte("context one"), []byte("context two")))
	if err != nil {
		t.Fatal(err)
	}
	der, err := DER(key)
	if got := sha256.Sum256(der); err != nil || hex.EncodeToString(got[:]) != "663afd58820be8ad645f9c035e93199d114ab16f738db62393bc1d7d623e8813" {
		t.Errorf("DH secret %x, %v", got, err)
	}
}

func TestDERIsWhatClientsHash(t *testing.T) {
	root := unhex(t, fixture054)
	key, err := P256(GetKey(root, "test"))
	if err != nil {
		t.Fatal(err)
	}
	der, err := DER(key)
	if err != nil || len(der) != 138 {
		t.Fatalf("DER of %d bytes, %v", len(der), err)
	}
	if got := hex.EncodeToString(der[:32]); got != "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02" {
		t.Errorf("the first 32 bytes are %s: the warning about constant wallets depends on them", got)
	}
}

func TestVerifyChain(t *testing.T) {
	kms, appID := [32]byte{31: 7}, make([]byte, 20)
	app := Derive(kms[:], appID, []byte("app-key")) // the app's root under a KMS root
	appPub, _ := Public(app, "secp256k1")
	kmsPub, _ := Public(kms, "secp256k1")
	key := GetKey(app[:], "p")
	pub, _ := Public(key, "ed25519")
	link0, err := Sign(app, ClaimV0("log", pub))
	if err != nil {
		t.Fatal(err)
	}
	link1, err := Sign(kms, ClaimKMS(appID, appPub))
	if err != nil {
		t.Fatal(err)
	}
	claim := ClaimV0("log", pub)
	if err := VerifyChain(claim, [][]byte{link0, link1}, appID, kmsPub); err != nil {
		t.Fatalf("a genuine chain: %v", err)
	}
	for name, bad := range map[string]error{
		"another purpose": VerifyChain(ClaimV0("wallet", pub), [][]byte{link0, link1}, appID, kmsPub),
		"another app":     VerifyChain(claim, [][]byte{link0, link1}, unhex(t, strings.Repeat("01", 20)), kmsPub),
		"another KMS":     VerifyChain(claim, [][]byte{link0, link1}, appID, appPub),
		"no KMS":          VerifyChain(claim, [][]byte{link0, nil}, appID, kmsPub),
		"one link":        VerifyChain(claim, [][]byte{link0}, appID, kmsPub),
		"cut":             VerifyChain(claim, [][]byte{link0[:64], link1}, appID, kmsPub),
	} {
		if bad == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFixtureSignatureRecoversSomeKey(t *testing.T) {
	root := [32]byte(unhex(t, fixture054))
	pub, _ := Public(root, "secp256k1")
	signer, err := Recover(ClaimKMS(unhex(t, "ea549f02e1a25fabd1cb788380e033ec5461b2ff"), pub), unhex(t, signature54))
	if err != nil || len(signer) != 33 {
		t.Fatalf("signer %x, %v", signer, err)
	}
}

func TestRefusesBadScalars(t *testing.T) {
	if _, err := keys.NewEVM([32]byte{}); err == nil {
		t.Error("zero is not a key")
	}
	all := [32]byte(unhex(t, strings.Repeat("ff", 32)))
	if _, err := keys.NewEVM(all); err == nil {
		t.Error("2^256-1 is above the order and must not be reduced")
	}
	if _, err := P256(all); err == nil {
		t.Error("2^256-1 is above P-256's order")
	}
	if _, err := Public(all, "rsa"); err == nil {
		t.Error("unknown algorithm accepted")
	}
}

func BenchmarkGetKey(b *testing.B) {
	root := make([]byte, 32)
	for b.Loop() {
		GetKey(root, "teapot/wallet/25c1e1b0-4f3c-0b6e-9d59-2b6f7f8a9c10/secp256k1")
	}
}
