package wallets

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

const agent = "b850bc30-45f8-0041-a00a-83df46d8555d"

// elizaVectors were made by running the published packages (shared/vectors/eliza.json).
type elizaVectors struct {
	V017 plugin `json:"plugin_tee_0_1_7"`
	V019 plugin `json:"plugin_tee_0_1_9"`
	Page struct {
		Wallet string `json:"wallet_printed_in_document"`
	} `json:"seed_document_kat"`
	Community struct {
		Scalar string `json:"ca_scalar_hex"`
		Cases  []struct{ Path, Solana, EVM, DER string }
	} `json:"community_simulator_wallets"`
}

type plugin struct {
	Cases []struct {
		Name   string
		Answer struct{ Key string } `json:"derive_key_answer"`
		DER    string               `json:"asUint8Array_hex"`
		Solana string               `json:"solana_public_key"`
		EVM    string               `json:"evm_address"`
		Public string               `json:"evm_public_key"`
		Text   []string             `json:"report_data_json"`
		TextEC []string             `json:"report_data_json_ec"`
		Hash   []string             `json:"report_data_sha512_app_data"`
		HashEC []string             `json:"report_data_sha512_app_data_ec"`
	}
}

func vectors(t *testing.T) elizaVectors {
	t.Helper()
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	raw, err := os.ReadFile(filepath.Join(dir, "vectors", "eliza.json"))
	if err != nil {
		t.Skipf("no shared vectors: %v", err)
	}
	var v elizaVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWalletsOfThePublishedPackages(t *testing.T) {
	v := vectors(t)
	cases := append(v.V017.Cases, v.V019.Cases...)
	if len(cases) != 8 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		der, err := derFromPEM(c.Answer.Key)
		if err != nil || hex.EncodeToString(der) != c.DER {
			t.Fatalf("%s: DER %x, %v", c.Name, der, err)
		}
		list, err := FromDER(der)
		if err != nil {
			t.Fatal(err)
		}
		solana, evm := list[0], list[1]
		if solana.Address != c.Solana || evm.Address != c.EVM {
			t.Errorf("%s: %s and %s, want %s and %s", c.Name, solana.Address, evm.Address, c.Solana, c.EVM)
		}
		if got := "0x" + hex.EncodeToString(evm.EVM.Public()); got != c.Public {
			t.Errorf("%s: public key %s", c.Name, got)
		}
		checkText(t, solana.Address, c.Text[0], c.Hash[0])
		checkText(t, evm.Address, c.TextEC[0], c.HashEC[0])
	}
}

func checkText(t *testing.T, address, text, hash string) {
	t.Helper()
	if got := evidence.ElizaWalletText(agent, address); got != text {
		t.Errorf("text %s, want %s", got, text)
	}
	rd := evidence.LegacyReportDataTDX(text)
	if hex.EncodeToString(rd[:]) != hash {
		t.Errorf("report data %x, want %s", rd, hash)
	}
}

func TestCommunitySimulatorsWallets(t *testing.T) {
	v := vectors(t)
	root, _ := hex.DecodeString(v.Community.Scalar)
	for _, c := range v.Community.Cases {
		key, err := dstackkey.P256(dstackkey.GetKey(root, c.Path))
		if err != nil {
			t.Fatal(err)
		}
		der, _ := dstackkey.DER(key)
		list, err := FromDER(der)
		if err != nil || list[0].Address != c.Solana || list[1].Address != c.EVM {
			t.Errorf("path %q: %s and %s, want %s and %s (%v)", c.Path, list[0].Address, list[1].Address, c.Solana, c.EVM, err)
		}
		if c.Path == "/" && list[0].Address != v.Page.Wallet {
			t.Errorf("the wallet of the document is %s, got %s", v.Page.Wallet, list[0].Address)
		}
		if PublishedRoot(c.Path, der) == "" {
			t.Errorf("path %q: nobody is warned that the key is published", c.Path)
		}
		if PublishedRoot(c.Path+"x", der) != "" {
			t.Errorf("path %q: warned for another path", c.Path)
		}
	}
}

// Rows "DeriveKey(test)" of dstack's fixtures: Eliza's and the SDK's "Secure" wallets.
func TestFixtureWallets(t *testing.T) {
	for root, want := range map[string][2]string{
		"e0e5d254fb944dcc370a2e5288b336a1e809871545a73ee645368957fefa31f9": {"AuETeFoik7WBe4CuKUiHU6RaNT1wRNzcPbZYP8kAGFvS", "0x68a9E129Ba8aB734D767a88A7bA86f5286A4Df6f"},
		"d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d": {"B8wZFTHWSX7p4Hyi6Kh5ixE3NUV162wuWfetn4su13GD", "0xe2Dff1D2332078446A7E700Ea7c123351482123c"},
	} {
		secret, _ := hex.DecodeString(root)
		key, err := dstackkey.P256(dstackkey.GetKey(secret, "test"))
		if err != nil {
			t.Fatal(err)
		}
		der, _ := dstackkey.DER(key)
		list, err := FromDER(der)
		if err != nil || list[0].Address != want[0] || list[1].Address != want[1] {
			t.Errorf("%s and %s, want %v (%v)", list[0].Address, list[1].Address, want, err)
		}
	}
}

func TestConstantWallet(t *testing.T) {
	head, _ := hex.DecodeString(constantHead)
	secret := [32]byte(head)
	if !constantSecret(secret) || constantSecret([32]byte{1}) {
		t.Error("the constant head is not recognised")
	}
	evm, err := keys.NewEVM(secret)
	if err != nil || evm.Address() != "0xf3D21A3A689AD889541d993A51e3109aC3E36c12" {
		t.Errorf("everybody's EVM wallet is %v, %v", evm, err)
	}
	if got := keys.NewSolana(secret).Address(); got != "YJqsEvwSTxHhdyKfaMRUT7t7SK7mebwRwhT9civrya5" {
		t.Errorf("everybody's Solana wallet is %s", got)
	}
}

func newSim(t *testing.T) *sim.Simulator {
	t.Helper()
	s, err := sim.New(sim.Options{Seed: bytes.Repeat([]byte{3}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTeapotsWalletsAreSeparate(t *testing.T) {
	s := newSim(t)
	seen := map[string]bool{}
	for _, a := range []string{agent, "25c1e1b0-4f3c-0b6e-9d59-2b6f7f8a9c10"} {
		list, err := Open(t.Context(), s, Options{Agent: a})
		if err != nil || len(list) != 2 || list[0].Chain != EVMChain || list[1].Chain != SolanaChain {
			t.Fatalf("%v, %v", list, err)
		}
		for _, w := range list {
			if seen[w.Address] || !strings.HasPrefix(w.Path, keys.Prefix) || w.Claim == nil || w.Shared || len(w.Warnings) != 0 {
				t.Errorf("wallet %+v", w)
			}
			seen[w.Address] = true
		}
	}
	if _, err := Open(t.Context(), s, Options{Agent: "eliza"}); err == nil {
		t.Error("an agent without UUID got wallets")
	}
	if _, err := Open(t.Context(), s, Options{Agent: agent, Derivation: "eliza/9"}); err == nil {
		t.Error("an unknown derivation was accepted")
	}
}

func TestElizasWalletsAreWeakAndSaySo(t *testing.T) {
	s := newSim(t)
	a, err := Open(t.Context(), s, Options{Agent: agent, Derivation: Eliza017, Salt: "one"})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Open(t.Context(), s, Options{Agent: agent, Derivation: Eliza017, Salt: "two"})
	if a[0].Address != b[0].Address {
		t.Error("in 0.1.7 the salt must not influence the wallet")
	}
	c, _ := Open(t.Context(), s, Options{Agent: agent, Derivation: Eliza019, Salt: "one", Shared: true})
	d, _ := Open(t.Context(), s, Options{Agent: agent, Derivation: Eliza019, Salt: "two"})
	if c[0].Address == d[0].Address {
		t.Error("in 0.1.9 the salt is the path")
	}
	if !c[0].Shared || !c[0].Statement().Shared || !strings.Contains(strings.Join(c[0].Warnings, "\n"), "shared") {
		t.Error("a shared wallet must say so")
	}
	if len(a[0].Warnings) < 3 || strings.HasPrefix(a[0].Path, keys.Prefix) {
		t.Errorf("warnings %q, path %q", a[0].Warnings, a[0].Path)
	}
	if _, err := Open(t.Context(), s, Options{Agent: agent, Derivation: Eliza019}); err == nil {
		t.Error("0.1.9 without a salt was accepted")
	}
}

func TestSignaturesVerify(t *testing.T) {
	list, err := Open(t.Context(), newSim(t), Options{Agent: agent})
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("hello")
	who, err := keys.RecoverEVM(message, [65]byte(list[0].SignMessage(message)))
	if err != nil || who != list[0].Address {
		t.Errorf("EVM: %s, %v", who, err)
	}
	if !keys.VerifySolana(list[1].Address, message, list[1].SignMessage(message)) {
		t.Error("Solana: does not verify")
	}
}

func TestAttestation(t *testing.T) {
	s := newSim(t)
	list, _ := Open(t.Context(), s, Options{Agent: agent})
	att, err := list[0].Attest(t.Context(), s, agent, time.UnixMilli(1733606453433))
	if err != nil || att.Timestamp != 1733606453433 {
		t.Fatal(att, err)
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(att.Quote, "0x"))
	want := evidence.LegacyReportDataTDX(evidence.ElizaWalletText(agent, list[0].Address))
	if err != nil || !bytes.Equal(raw[568:632], want[:]) {
		t.Errorf("the quote is not over Eliza's text: %v", err)
	}
	text, _ := json.Marshal(att)
	if !bytes.HasPrefix(text, []byte(`{"quote":"0x0400`)) {
		t.Errorf("%.40s", text)
	}
}

func TestBadPEMsAreRefused(t *testing.T) {
	for _, bad := range []string{"", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", "!", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"} {
		if der, err := derFromPEM(bad); err == nil {
			t.Errorf("%q: %x", bad, der)
		}
	}
}
