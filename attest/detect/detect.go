// Package detect finds the platform this process runs on and opens its back end.
//
// It trusts the environment and the file system to say which socket or file to open, and nothing more: what is genuine is
// decided by whoever verifies the quotes. It never turns a real platform into a simulation: something that looks like a
// platform and does not work is an error, the data directory remembers its platform (attest.Claim), and
// TEAPOT_PLATFORM=require-hardware refuses the simulator and every quote that is not under Intel's root.
package detect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/dstack"
	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
)

// Environment is what detection looks at.
type Environment struct {
	Getenv     func(string) string // nil is os.Getenv
	Root       string              // of the file system; "" is "/" (tests play another one)
	Dir        string              // data directory; "" keeps nothing and has no record
	AppCompose []byte              // identity of the simulator, or app-compose of a platform too old to tell it; nil: default
	Seed       []byte              // of the simulator's keys; nil: kept in Dir
	SGX        bool                // the simulator makes SGX quotes

	// GramineRoot gives the root of all keys under Gramine (gramine.Options.Root); nil derives it from the sealing key.
	GramineRoot func([]gramine.SealingKey) ([]byte, evidence.Custody, error)
	// HostEnvironment are the variables that an enclave's manifest leaves to the host (gramine.Options); nil: unknown.
	HostEnvironment []string
	// OperatorKey makes keys outlive a start in a plain TDX guest, which has none of its own; nil: keys of this start only.
	OperatorKey []byte
	Clock       attest.Clock // nil is time.Now
}

// Finding says what was found, and why.
type Finding struct {
	Platform  string   // as Attester.Platform
	Simulated bool     // its quotes are not under Intel's root: the simulator inside, or one behind a socket
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
	a, err := found.open(ctx, env, found)
	if err != nil {
		return nil, found.Finding, fmt.Errorf("opening platform %s (%s): %w", found.Platform, found.Why, err)
	}
	genuine, warning, err := settle(ctx, env, set, a)
	if err != nil {
		return nil, found.Finding, closing(a, err)
	}
	if warning != "" {
		found.Warnings = append(found.Warnings, warning)
	}
	found.Simulated = !genuine
	if a.Custody() == evidence.ThisStart {
		found.Warnings = append(found.Warnings, "keys live in the memory of this start: the next one cannot open this data, begins a new log and has other wallets; an operator key keeps them (and shows in custody)")
	}
	if client, ok := a.(*dstack.Client); ok && !genuine {
		found.Warnings = append(found.Warnings, "SIMULATED: the quotes of "+found.Endpoint+" are not under Intel's root")
		return simulatedAgent{client, found.Endpoint}, found.Finding, nil
	}
	return a, found.Finding, nil
}

// settle makes sure that the platform is allowed here, and returns what a person should know about its quotes.
func settle(ctx context.Context, env Environment, set settings, a attest.Attester) (genuine bool, warning string, err error) {
	root, genuine, err := rootOf(ctx, a, env.now())
	if bad, ok := errors.AsType[*notGenuineError](err); ok && !set.requireHardware {
		warning, err = bad.Error()+"; nobody will be able to verify this process", nil
	}
	switch {
	case err != nil:
		return false, "", fmt.Errorf("asking platform %s for a quote: %w%s", a.Platform(), err, own(set))
	case set.requireHardware && !genuine:
		return false, "", fmt.Errorf("TEAPOT_PLATFORM=require-hardware: platform %s makes quotes under root %.16x…, which is not Intel's: a simulator answers there", a.Platform(), root)
	case env.Dir == "":
		return genuine, warning, nil
	}
	if err := attest.Claim(env.Dir, a); err != nil {
		return false, "", err
	}
	return genuine, warning, attest.ClaimRoot(env.Dir, root)
}

// own explains the refusal that Teapot meets when it is pointed at itself.
func own(set settings) string {
	if set.endpoint == "" {
		return ""
	}
	return fmt.Sprintf(" (if Teapot's own simulator or guest API answers at %s: it refuses Teapot's statements to all callers on purpose; unset %s, teapot run has a simulator inside, or start the other one with --platform-socket PATH and name that path)",
		set.endpoint, set.endpointFrom)
}

func (e Environment) now() time.Time {
	if e.Clock != nil {
		return e.Clock()
	}
	return time.Now()
}

func closing(a attest.Attester, err error) error {
	_ = a.Close() // the first error is the one to tell
	return err
}

// candidate is a platform that was chosen but not opened.
type candidate struct {
	Finding
	derivation string // recorded in the data directory; "" is free to choose
	open       func(context.Context, Environment, candidate) (attest.Attester, error)
}

func choose(env Environment, set settings) (candidate, error) {
	var recorded attest.Record
	if env.Dir != "" {
		var err error
		if recorded, _, err = attest.ReadRecord(env.Dir); err != nil {
			return candidate{}, err
		}
	}
	c, err := chooseBy(env, set)
	if err != nil {
		return c, err
	}
	c.derivation = recorded.Derivation
	if recorded.Platform != "" && c.Platform != recorded.Platform {
		return c, &attest.ForeignDataError{Path: env.Dir, Recorded: recorded, Platform: c.Platform}
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
	return candidate{Finding: Finding{Platform: "simulator", Simulated: true, Why: why}, open: openSimulator}
}

func openSimulator(_ context.Context, env Environment, _ candidate) (attest.Attester, error) {
	return sim.New(sim.Options{Dir: env.Dir, Seed: env.Seed, AppCompose: env.AppCompose, SGX: env.SGX, Clock: env.Clock})
}
