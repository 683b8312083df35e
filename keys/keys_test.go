package keys

import (
	"encoding/hex"
	"strings"
	"testing"
)

const agent = "25c1e1b0-4f3c-0b6e-9d59-2b6f7f8a9c10"

func secretOf(t *testing.T, s string) [32]byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatalf("%q: %v", s, err)
	}
	return [32]byte(b)
}

// The addresses that published clients show for GetKey("test") of dstack's simulator fixtures.
func TestAddressesOfTheFixtures(t *testing.T) {
	for secret, want := range map[string][2]string{
		"635a38ed9ba65cff14ec7be7b640ec1fc33a77e40eeaba061961be4777aca332": {"0x02dfe75F2f63F6bf3bD98D362B7FF4f811465A40", "HcWjhz9dgu46XtXr2TUJzfE9AuRJKRuMNfbBGHx46gjJ"},
		"133e8ca6e532ead3e38f00347408771da296e9c70e8e3e362f485154e64ef4e8": {"0x66527976Bdb9dF65109aF70dBEbaeaf51853c6ac", "2wAGsN4oNBmry7N55mX1LD7UtkMaFCUpDoPqVESnUpZ8"},
	} {
		evm, err := NewEVM(secretOf(t, secret))
		if err != nil || evm.Address() != want[0] {
			t.Errorf("EVM address %v, want %s (%v)", evm, want[0], err)
		}
		if got := NewSolana(secretOf(t, secret)).Address(); got != want[1] {
			t.Errorf("Solana address %s, want %s", got, want[1])
		}
	}
}

// EIP-55's own examples.
func TestChecksumAddresses(t *testing.T) {
	for _, want := range []string{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77"} {
		if got := checksumEIP55(strings.ToLower(want[2:])); got != want {
			t.Errorf("checksum %s, want %s", got, want)
		}
	}
}

// The example of web3.js' documentation of eth.accounts.sign.
func TestPersonalSignature(t *testing.T) {
	evm, err := NewEVM(secretOf(t, "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"))
	if err != nil || evm.Address() != "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23" {
		t.Fatalf("address %v %v", evm, err)
	}
	sig := evm.SignMessage([]byte("Some data"))
	if got := hex.EncodeToString(sig[:]); got != "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c" {
		t.Errorf("signature %s", got)
	}
	who, err := RecoverEVM([]byte("Some data"), sig)
	if err != nil || who != evm.Address() {
		t.Errorf("recovered %s, %v", who, err)
	}
	if other, err := RecoverEVM([]byte("Other data"), sig); err == nil && other == evm.Address() {
		t.Error("the signature holds for another message")
	}
	sig[64] = 0
	if _, err := RecoverEVM([]byte("Some data"), sig); err == nil {
		t.Error("v 0 accepted")
	}
}

func TestHighSRefused(t *testing.T) {
	evm, _ := NewEVM([32]byte{31: 1})
	sig := evm.SignMessage([]byte("x"))
	order, _ := hex.DecodeString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	borrow := 0
	for i := 31; i >= 0; i-- { // s = n - s
		d := int(order[i]) - int(sig[32+i]) - borrow
		borrow = 0
		if d < 0 {
			d, borrow = d+256, 1
		}
		sig[32+i] = byte(d)
	}
	sig[64] ^= 7 // 27 <-> 28
	if _, err := RecoverEVM([]byte("x"), sig); err == nil {
		t.Error("a high-S twin was accepted")
	}
}

func TestSolanaSignature(t *testing.T) {
	s := NewSolana([32]byte{1})
	sig := s.Sign([]byte("message"))
	if !VerifySolana(s.Address(), []byte("message"), sig) {
		t.Error("own signature does not verify")
	}
	if VerifySolana(s.Address(), []byte("messagf"), sig) || VerifySolana("!", []byte("message"), sig) || VerifySolana("1", []byte("message"), sig) {
		t.Error("a wrong message or address verifies")
	}
}

func TestPaths(t *testing.T) {
	if p, err := Path(Wallet, agent, Secp256k1); err != nil || p != "teapot/wallet/"+agent+"/secp256k1" {
		t.Errorf("path %q %v", p, err)
	}
	if p, err := LogPath(agent, 3); err != nil || p != "teapot/log/"+agent+"/3/ed25519" {
		t.Errorf("log path %q %v", p, err)
	}
	for name, f := range map[string]func() (string, error){
		"log without number": func() (string, error) { return Path(Log, agent, Ed25519) },
		"unknown purpose":    func() (string, error) { return Path("x/y", agent, Ed25519) },
		"unknown curve":      func() (string, error) { return Path(Wallet, agent, "bls") },
		"traversal":          func() (string, error) { return Path(Wallet, "../"+agent[3:], Ed25519) },
		"upper case":         func() (string, error) { return LogPath(strings.ToUpper(agent), 0) },
		"not a uuid":         func() (string, error) { return LogPath("eliza", 0) },
	} {
		if p, err := f(); err == nil {
			t.Errorf("%s: %q accepted", name, p)
		}
	}
}
