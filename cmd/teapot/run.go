package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/plugins"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
)

type runFlags struct {
	processFlags
	characters, lists []string
	strict            bool
	guestDir          string
	wallets           string
}

func newRunCmd() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run an Eliza character: attested keys and wallets, a log of every action, a page that proves it",
		Long: `Runs the character (default: a built-in one with an offline model), serves Eliza's REST API, Teapot's own /v1 and the pages.
Without TEE hardware it simulates one, says so loudly, and nothing it proves is accepted unless the reader asks for simulated evidence.

Talk to it: teapot chat, or POST /AGENT/message. Check it: teapot verify URL.`,
		Example: "  teapot run --character ./characters/trump.character.json\n  teapot run --addr 0.0.0.0:3000 --data /data --tls",
		Args:    args(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.flags(cmd)
	cmd.Flags().StringArrayVar(&f.characters, "character", nil, "character file, or a comma list (repeat)")
	cmd.Flags().StringArrayVar(&f.lists, "characters", nil, "the same, Eliza's other spelling; wins over --character")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "refuse character files that lenient mode would repair")
	cmd.Flags().StringVar(&f.guestDir, "guest-dir", "", "make dstack.sock and tappd.sock for other processes in this directory (see [[guest]] in --config)")
	cmd.Flags().StringVar(&f.wallets, "wallets", "", `derivation of wallets: "teapot/wallet/v1", or "eliza/0.1.7", "eliza/0.1.9" to keep old addresses (weak; see teapot wallet show). Default: eliza/0.1.9 where TEE_MODE and WALLET_SECRET_SALT are set as for Eliza, else Teapot's own`)
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command) error {
	loaded, err := f.load()
	if err != nil {
		return err
	}
	for _, c := range loaded {
		for _, note := range c.Notes {
			fmt.Fprintf(cmd.ErrOrStderr(), "teapot: %s: %s\n", c.Name, note)
		}
	}
	unmeasured, err := f.unmeasured(loaded)
	if err != nil {
		return err
	}
	r, err := f.start(cmd, f.specs(loaded), unmeasured, pluginNames(loaded))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	fleet, err := r.fleet(ctx, f, loaded)
	if err != nil {
		return errors.Join(err, r.close())
	}
	if err := r.guests(ctx, f.guestDir, cancel); err != nil {
		return errors.Join(err, fleet.close(), r.close())
	}
	err = r.serve(ctx, func(mux *http.ServeMux, budget *ratls.Budget) {
		r.logRoutes(mux, budget)
		fleet.register(mux, budget)
	}, func(addr net.Addr) { r.banner(cmd.ErrOrStderr(), addr) })
	return errors.Join(err, fleet.close())
}

// load finds the characters as Eliza does; an invalid one names the JSON path.
func (f *runFlags) load() ([]*character.Character, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	env, err := character.Environment(cwd, os.Environ())
	if err != nil {
		return nil, err
	}
	wanted := f.characters
	if len(f.lists) > 0 {
		wanted = f.lists
	}
	if urls := env["REMOTE_CHARACTER_URLS"]; len(wanted) == 0 && strings.HasPrefix(urls, "http") {
		return nil, &exitError{code: 2, err: errors.New("REMOTE_CHARACTER_URLS is set, and Teapot loads no character over the network: whoever answers would choose what the agent is"), hint: "download the file, read it, and name it with --character"}
	}
	if len(wanted) == 0 {
		return []*character.Character{character.Default(env)}, nil
	}
	list, err := character.LoadList(wanted, character.Options{Strict: f.strict, Cwd: cwd, Env: env})
	if err != nil {
		return nil, &exitError{code: 2, err: err, hint: "teapot character check FILE explains every problem"}
	}
	return list, nil
}

func (f *runFlags) specs(loaded []*character.Character) []boot.AgentSpec {
	var specs []boot.AgentSpec
	for _, c := range loaded {
		specs = append(specs, f.spec(c))
	}
	return specs
}

func (f *runFlags) spec(c *character.Character) boot.AgentSpec {
	return boot.AgentSpec{ID: c.ID, Name: c.Name, Character: c.Public(), LogNumber: f.logNumber, Wallets: walletDerivation(f.wallets, os.Getenv), Salt: os.Getenv("WALLET_SECRET_SALT")}
}

// unmeasured lists the characters that came from a file the host can choose. Their digests stand in the agent parts, so a reader's
// policy can pin them; the embedded one is part of the binary.
func (f *runFlags) unmeasured(loaded []*character.Character) ([]evidence.Unmeasured, error) {
	var list []evidence.Unmeasured
	for _, c := range loaded {
		if c.Path == "" {
			continue
		}
		_, found, err := f.readPinned(c.Path, "character")
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// pluginNames lists what every agent has and what characters switch on; the boot statement carries the list's hash.
func pluginNames(loaded []*character.Character) []string {
	names := []string{"bootstrap", "tee"}
	for _, c := range loaded {
		names = append(names, plugins.Names(c)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
