// Package wallets opens an agent's wallets over an Attester: Teapot's own, one key per agent, purpose and curve; or, for
// those who must keep addresses, Eliza's, byte for byte with all that is wrong with it.
//
// It trusts the Attester for the secret bytes. Who else has them is Attester.Custody, and Wallet.Shared and Weaknesses for
// Eliza's. Signing here asks nobody: only the agent's gate (durable intent, policy, result) calls it.
package wallets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys"
)

// Derivations.
const (
	Teapot   = "teapot/wallet/v1"
	Eliza017 = "eliza/0.1.7" // plugin-tee 0.1.7: path "/"
	Eliza019 = "eliza/0.1.9" // plugin-tee 0.1.9 and later: path WALLET_SECRET_SALT
)

// Chains.
const (
	SolanaChain = "solana"
	EVMChain    = "evm"
)

// Wallet is one opened wallet. Exactly one of Solana and EVM is set.
type Wallet struct {
	Chain      string
	Address    string
	Derivation string
	Path       string // key path; callers of the guest API must not get it (guestapi.Options.Reserved)
	Shared     bool   // other processes of this guest can have the key
	Published  bool   // the key comes from a published root: everybody has it
	Warnings   []string
	Claim      *evidence.KeyClaim // the platform's signatures over the public key; nil where it makes none
	Solana     *keys.Solana
	EVM        *keys.EVM
}

// Options of Open.
type Options struct {
	Agent      string // UUID
	Derivation string // "" is Teapot
	Salt       string // WALLET_SECRET_SALT, for Eliza019
	Shared     bool   // the operator lets callers of the guest API have the path: Eliza's only
}

// Open derives the agent's Solana and EVM wallets, sorted as in a boot statement (chain, address).
func Open(ctx context.Context, a attest.Attester, o Options) ([]*Wallet, error) {
	var list []*Wallet
	var err error
	switch o.Derivation {
	case "", Teapot:
		list, err = openTeapot(ctx, a, o.Agent)
	case Eliza017, Eliza019:
		list, err = openEliza(ctx, a, o)
	default:
		return nil, fmt.Errorf("opening wallets: unknown derivation %q, want %s, %s or %s", o.Derivation, Teapot, Eliza017, Eliza019)
	}
	if err != nil {
		return nil, fmt.Errorf("opening wallets: %w", err)
	}
	slices.SortFunc(list, func(a, b *Wallet) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Address, b.Address))
	})
	return list, nil
}

func openTeapot(ctx context.Context, a attest.Attester, agent string) ([]*Wallet, error) {
	var list []*Wallet
	for _, curve := range []keys.Curve{keys.Ed25519, keys.Secp256k1} {
		path, err := keys.Path(keys.Wallet, agent, curve)
		if err != nil {
			return nil, err
		}
		key, err := a.Key(ctx, path)
		if err != nil {
			return nil, err
		}
		w, err := fromSecret(curve, key.Secret)
		if err != nil {
			return nil, err
		}
		w.Derivation, w.Path = Teapot, path
		w.Claim = key.Claim("wallet", path, string(curve), w.public())
		list = append(list, w)
	}
	return list, nil
}

func fromSecret(curve keys.Curve, secret [32]byte) (*Wallet, error) {
	if curve == keys.Ed25519 {
		s := keys.NewSolana(secret)
		return &Wallet{Chain: SolanaChain, Address: s.Address(), Solana: &s}, nil
	}
	e, err := keys.NewEVM(secret)
	if err != nil {
		return nil, err
	}
	return &Wallet{Chain: EVMChain, Address: e.Address(), EVM: e}, nil
}

func openEliza(ctx context.Context, a attest.Attester, o Options) ([]*Wallet, error) {
	deriver, ok := a.(attest.PathDeriver)
	if !ok {
		return nil, fmt.Errorf("platform %s has no DeriveKey: wallets in Eliza's derivation exist on dstack and the simulator only", a.Platform())
	}
	paths, err := ElizaPaths(o.Derivation, o.Salt)
	if err != nil {
		return nil, err
	}
	der, err := deriver.DeriveKey(ctx, paths[0], cmp.Or(o.Salt, "solana"))
	if err != nil {
		return nil, err
	}
	list, err := FromDER(der)
	if err != nil {
		return nil, err
	}
	for _, w := range list {
		w.Derivation, w.Path, w.Shared = o.Derivation, paths[0], o.Shared
		w.Warnings = Weaknesses(o, paths[0], der)
		w.Published = PublishedRoot(paths[0], der) != ""
	}
	return list, nil
}

// FromDER makes both of Eliza's wallets from one DeriveKey answer: Ed25519 seed SHA-256(DER), secp256k1 key keccak-256(DER).
func FromDER(der []byte) ([]*Wallet, error) {
	solana, err := fromSecret(keys.Ed25519, sha256.Sum256(der))
	if err != nil {
		return nil, err
	}
	evm, err := fromSecret(keys.Secp256k1, keys.Keccak256(der))
	if err != nil {
		return nil, err
	}
	return []*Wallet{solana, evm}, nil
}

// ElizaPaths are the key paths of Eliza's wallets, which callers must not have while the wallets are in use.
func ElizaPaths(derivation, salt string) ([]string, error) {
	switch derivation {
	case Eliza017:
		return []string{"/"}, nil
	case Eliza019:
		if salt == "" {
			return nil, fmt.Errorf("%s needs WALLET_SECRET_SALT: it is the key path", Eliza019)
		}
		return []string{salt}, nil
	}
	return nil, fmt.Errorf("%q is not one of Eliza's derivations", derivation)
}

// Statement is the wallet's line in an agent part.
func (w *Wallet) Statement() evidence.Wallet {
	return evidence.Wallet{Chain: w.Chain, Address: w.Address, Derivation: w.Derivation, Shared: w.Shared}
}

// public is the key as dstack signs it: 32 bytes Ed25519, or 33 compressed.
func (w *Wallet) public() []byte {
	if w.Solana != nil {
		return w.Solana.Public()
	}
	return w.EVM.Compressed()
}

// SignMessage signs a message for people: Ed25519 over the bytes (64 bytes), or EIP-191 personal_sign (65 bytes).
func (w *Wallet) SignMessage(message []byte) []byte {
	if w.Solana != nil {
		return w.Solana.Sign(message)
	}
	sig := w.EVM.SignMessage(message)
	return sig[:]
}
