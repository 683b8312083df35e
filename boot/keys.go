package boot

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// nobody stands for the process itself in the paths of keys that belong to no agent.
const nobody = "00000000-0000-0000-0000-000000000000"

// derived are the keys of one agent that the platform derives anew at every start.
type derived struct {
	log     ed25519.PrivateKey
	claim   *evidence.KeyClaim // the platform's signatures over the log key; nil where it makes none
	storage [32]byte
	privacy [32]byte
	memory  [32]byte // of the agent's memory file, from the storage key
}

func deriveKeys(ctx context.Context, a attest.Attester, spec AgentSpec) (derived, error) {
	var d derived
	path, err := keys.LogPath(spec.ID, spec.LogNumber)
	if err != nil {
		return d, err
	}
	seed, err := a.Key(ctx, path)
	if err != nil {
		return d, fmt.Errorf("deriving the log key of agent %s: %w", spec.Name, err)
	}
	d.log = ed25519.NewKeyFromSeed(seed.Secret[:])
	d.claim = seed.Claim("log", path, string(keys.Ed25519), d.log.Public().(ed25519.PublicKey))
	if d.storage, err = secret(ctx, a, keys.Storage, spec.ID); err != nil {
		return d, err
	}
	memory, err := hkdf.Key(sha256.New, d.storage[:], nil, "teapot/memory/v1", 32)
	if err != nil {
		return d, err
	}
	d.memory = [32]byte(memory)
	d.privacy, err = secret(ctx, a, keys.Privacy, spec.ID)
	return d, err
}

// claimsOf are the platform's signatures over the keys that others see: log key and wallets.
func claimsOf(d derived, opened []*wallets.Wallet) []evidence.KeyClaim {
	var out []evidence.KeyClaim
	if d.claim != nil {
		out = append(out, *d.claim)
	}
	for _, w := range opened {
		if w.Claim != nil {
			out = append(out, *w.Claim)
		}
	}
	return out
}

// secret derives 32 bytes for symmetric use.
func secret(ctx context.Context, a attest.Attester, purpose keys.Purpose, agent string) ([32]byte, error) {
	path, err := keys.Path(purpose, agent, keys.Secret)
	if err != nil {
		return [32]byte{}, err
	}
	key, err := a.Key(ctx, path)
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving the %s key: %w", purpose, err)
	}
	return key.Secret, nil
}
