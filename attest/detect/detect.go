// Package detect finds the platform this process runs on and opens its back end.
//
// It trusts the environment and the file system to say which socket or file to open, and nothing more: what is genuine is
// decided by whoever verifies the quotes. It never turns a real platform into a simulation: something that looks like a
// platform and does not work is an error, the data directory remembers its platform (attest.Claim), and
// TEAPOT_PLATFORM=require-hardware refuses the simulator and every quote that is not under Intel's root.
package detect

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
)

// Environment is what detection looks at.
type Environment struct {
	Getenv     func(string) string // nil is os.Getenv
	Root       string              // of the file system; "" is "/" (tests play another one)
	Dir        string              // data directory; "" keeps nothing and has no record
	AppCompose []byte              // identity of the simulator, or app-compose of a platform too old to tell it; nil: default
	Seed       []byte              // of the simulator's keys; nil: kept in Dir
	SGX        bool                // the simulator makes SGX quotes
	Clock      attest.Clock        // nil is time.Now
}

// Finding says what was found, and why.
type Finding struct {
	Platform  string   // as Attester.Platform
	Simulated bool     // the in-process simulator
	Endpoint  string   // socket, URL or directory in use; "" for the simulator
	Why       string   // one sentence
	Looked    []string // what was looked for and what was there, in order
	Salt      string   // WALLET_SECRET_SALT: wallets in Eliza's derivation are wanted
	Warnings  []string
}

// Detect opens the platform that the settings name, or else the one that is there, and claims the data directory for it.
func Detect(ctx context.Context, env Environment) (attest.Attester, Finding, error) {
	if env.Getenv == nil {
		env.Getenv = os.Getenv
	}
	set, err := readSettings(env.Getenv)
	if err != nil {
		return nil, Finding{}, fmt.Errorf("choosing the platform: %w", err)
	}
	found, err := choose(env, set)
	if err != nil {
		return nil, found.Finding, fmt.Errorf("choosing the platform: %w", err)
	}
	found.Salt, found.Warnings = set.salt, append(found.Warnings, set.warnings()...)
	a, err := found.open(ctx, env)
	if err != nil {
		return nil, found.Finding, fmt.Errorf("opening platform %s (%s): %w", found.Platform, found.Why, err)
	}
	if err := settle(ctx, env, set, a); err != nil {
		return nil, found.Finding, closing(a, err)
	}
	return a, found.Finding, nil
}

// settle makes sure that the platform is allowed here.
func settle(ctx context.Context, env Environment, set settings, a attest.Attester) error {
	if set.requireHardware {
		if err := genuine(ctx, a); err != nil {
			return fmt.Errorf("TEAPOT_PLATFORM=require-hardware: %w", err)
		}
	}
	if env.Dir == "" {
		return nil
	}
	return attest.Claim(env.Dir, a)
}

func closing(a attest.Attester, err error) error {
	_ = a.Close() // the first error is the one to tell
	return err
}

// candidate is a platform that was chosen but not opened.
type candidate struct {
	Finding
	open func(context.Context, Environment) (attest.Attester, error)
}

func choose(env Environment, set settings) (candidate, error) {
	recorded := ""
	if env.Dir != "" {
		r, _, err := attest.ReadRecord(env.Dir)
		if err != nil {
			return candidate{}, err
		}
		recorded = r.Platform
	}
	c, err := chooseBy(env, set)
	if err != nil {
		return c, err
	}
	if recorded != "" && c.Platform != recorded {
		return c, &attest.ForeignDataError{Path: env.Dir, Recorded: attest.Record{Platform: recorded}, Platform: c.Platform}
	}
	if c.Simulated && set.requireHardware {
		return c, fmt.Errorf("TEAPOT_PLATFORM=require-hardware, and no hardware platform is here: looked for %s", strings.Join(c.Looked, "; "))
	}
	return c, nil
}

// chooseBy goes by the settings, or else by what is there.
func chooseBy(env Environment, set settings) (candidate, error) {
	switch {
	case set.platform == "simulator":
		return simulator("TEAPOT_PLATFORM=simulator"), nil
	case set.endpoint != "":
		return dstackAt(set.endpoint, set.endpointFrom), nil
	case set.mode == "OFF":
		return simulator("TEE_MODE=OFF"), nil
	case set.mode == "PRODUCTION" || set.platform == "dstack-tdx":
		return set.production(env)
	case set.sgx || set.platform == "gramine-sgx":
		return gramineAt(env, set.reason("SGX is set"))
	case set.platform == "tdx":
		return tsmAt(env, set.reason(""))
	}
	return probe(env)
}

func simulator(why string) candidate {
	return candidate{Finding{Platform: "simulator", Simulated: true, Why: why}, func(_ context.Context, env Environment) (attest.Attester, error) {
		return sim.New(sim.Options{Dir: env.Dir, Seed: env.Seed, AppCompose: env.AppCompose, SGX: env.SGX, Clock: env.Clock})
	}}
}
