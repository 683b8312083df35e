package deploy

import (
	"crypto/sha256"
	"strings"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// addDerivedKeys opens the simulator that the agent made, and adds the agent's own keys to what is searched for.
func (h *hunt) addDerivedKeys() {
	h.t.Helper()
	s, err := sim.New(sim.Options{Dir: h.data})
	if err != nil {
		h.t.Fatal(err)
	}
	paths := map[string]string{}
	if paths["log key"], err = keys.LogPath(h.id, 0); err != nil {
		h.t.Fatal(err)
	}
	for _, purpose := range []keys.Purpose{keys.Storage, keys.Privacy} {
		if paths[string(purpose)+" key"], err = keys.Path(purpose, h.id, keys.Secret); err != nil {
			h.t.Fatal(err)
		}
	}
	for what, path := range paths {
		key, err := s.Key(h.t.Context(), path)
		if err != nil {
			h.t.Fatal(err)
		}
		h.secrets[what] = key.Secret[:]
	}
	h.addWallets(s)
}

func (h *hunt) addWallets(s *sim.Simulator) {
	h.t.Helper()
	der, err := s.DeriveKey(h.t.Context(), canarySalt, canarySalt)
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := wallets.FromDER(der)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, w := range list { // these are the agent's keys, not somebody's
		if !strings.Contains(h.out.text(), w.Address) {
			h.t.Errorf("the agent has no wallet %s", w.Address)
		}
	}
	solana, evm := sha256.Sum256(der), keys.Keccak256(der)
	h.secrets["wallets' root"], h.secrets["solana wallet"], h.secrets["evm wallet"] = der, solana[:], evm[:]
}
