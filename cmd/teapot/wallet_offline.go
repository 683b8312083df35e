package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// openOffline derives wallets from a simulator's data directory. On a real platform keys are reachable only inside, and sign
// only through the agent's gate.
func (f *walletFlags) openOffline(cmd *cobra.Command) ([]*wallets.Wallet, error) {
	record, ok, err := attest.ReadRecord(f.data)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &exitError{code: 2, err: fmt.Errorf("%s is not the data directory of a simulator", f.data), hint: "start `teapot run` once, or give --data"}
	}
	if record.Platform != "simulator" {
		return nil, &exitError{code: 2, err: fmt.Errorf("%s belongs to platform %s: its keys exist only inside, and sign only through the running agent", f.data, record.Platform), hint: "leave --offline out"}
	}
	if _, err := os.Stat(f.data + "/" + sim.FileName); err != nil {
		return nil, err
	}
	simulator, err := sim.New(sim.Options{Dir: f.data})
	if err != nil {
		return nil, err
	}
	if err := attest.Claim(f.data, simulator); err != nil { // the recorded derivation is the one we use
		return nil, err
	}
	f.agent = f.agentOrDefault()
	opened, err := wallets.Open(cmd.Context(), simulator, wallets.Options{Agent: f.agent, Derivation: f.derivation, Salt: f.salt})
	if err != nil {
		return nil, &exitError{code: 64, err: err}
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "SIMULATED: whoever reads", f.data, "has these keys")
	return opened, nil
}
