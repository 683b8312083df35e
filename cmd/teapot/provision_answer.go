package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/boot/envelope"
	"github.com/teapot-tee/teapot/boot/operator"
	"github.com/teapot-tee/teapot/boot/sgx"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/verify"
)

type answerFlags struct {
	verifyFlags
	envelope, key, origin, out, collateral string
}

func newProvisionAnswerCmd() *cobra.Command {
	var f answerFlags
	cmd := &cobra.Command{
		Use:   "answer REQUEST",
		Short: "Judge an enclave's request under your policy, and seal its data key to it",
		Long: `Run this on the operator's machine. REQUEST and the envelope come from the directory that host and enclave share; the answer goes there.

The request is judged like everything else (teapot verify REQUEST shows the same), and the code must be one of your policy's [[code]]
tables: whoever it is sealed to reads the data from now on. The data key must be the one of the log that ORIGIN names, which stands in
every receipt and verdict: anybody can seal another key to you.

Exit 0: the answer is written. 1: the request is not accepted. 2: could not judge. 64: usage.`,
		Example: "  teapot provision answer request.json --envelope envelope.json --key operator.key --policy agent.toml --origin teapot/… -o answer.json",
		Args:    args(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, given []string) error { return f.run(cmd, given[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.envelope, "envelope", "", "the envelope `FILE` that did not open")
	flags.StringVar(&f.key, "key", "", "the operator's secret key `FILE` (teapot provision key)")
	flags.StringVar(&f.origin, "origin", "", "origin of the agent's log, teapot/UUID/HASH")
	flags.StringVar(&f.policy, "policy", "", "policy `FILE` (TOML, docs/policy.md) with the code that may have the data")
	flags.StringVar(&f.pccs, "pccs", "", "fetch collateral from this PCCS or PCS `URL` (default Intel's PCS)")
	flags.StringVar(&f.collateral, "collateral", "", "collateral `FILE` (dcap-qvl JSON) for when Intel's service cannot be reached")
	flags.BoolVar(&f.allowSimulated, "allow-simulated", false, "answer a simulated enclave, whose data key is no secret")
	flags.StringVarP(&f.out, "out", "o", "answer.json", "file for the answer")
	return cmd
}

func (f *answerFlags) run(cmd *cobra.Command, path string) error {
	if f.envelope == "" || f.key == "" || f.origin == "" {
		return &exitError{code: 64, err: errors.New("--envelope, --key and --origin are needed"), hint: "the origin stands in every receipt of the agent, and teapot verify prints it"}
	}
	policy, err := f.loadPolicy()
	if err != nil {
		return &exitError{code: 64, err: err, hint: "teapot policy explain FILE says what a policy means"}
	}
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	result, err := f.judge(cmd, path, document, policy)
	if err != nil {
		return err
	}
	if err := acceptedEnclave(result, f.allowSimulated); err != nil {
		return errors.Join(result.WriteText(cmd.OutOrStdout()), &exitError{code: 1, err: err, hint: "nothing was sealed"})
	}
	answer, err := f.answer(document)
	if err != nil {
		return err
	}
	if err := attest.WriteFile(f.out, answer); err != nil { // replaces a link that the host put there, and is never half there
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s\nthe data key of %s is sealed to this enclave in %s; put it beside request.json\n", result.Headline, f.origin, f.out)
	return nil
}

func (f *answerFlags) judge(cmd *cobra.Command, path string, document []byte, policy verify.Policy) (verify.Result, error) {
	document, err := f.complete(document)
	if err != nil {
		return verify.Result{}, &exitError{code: 2, err: fmt.Errorf("%s: %w", path, err)}
	}
	v := &verifier{flags: &f.verifyFlags, policy: policy, progress: newProgress(cmd.ErrOrStderr())}
	return v.appraise(cmd.Context(), verify.Input{Target: path, Kind: verify.KindEvidence, File: document})
}

// complete checks that the document is a request and adds the collateral given by hand.
func (f *answerFlags) complete(document []byte) ([]byte, error) {
	ev, err := evidence.ParseEvidence(document)
	if err != nil {
		return nil, err
	}
	if _, err := evidence.ParseRecovery(ev.Statement); err != nil || f.collateral == "" {
		return document, err
	}
	if ev.Collateral, err = os.ReadFile(f.collateral); err != nil {
		return nil, err
	}
	return ev.Marshal()
}

// acceptedEnclave wants the policy met and, whatever the policy waives, code that it names. A simulated enclave has no code to name:
// anybody can make one, so a policy that lets such verdicts pass is not enough to hand it a key.
func acceptedEnclave(r verify.Result, simulated bool) error {
	if err := r.Err(); err != nil {
		return fmt.Errorf("the request is not accepted: %w", err)
	}
	if r.Simulated && !simulated {
		return errors.New("the request is not accepted: it is SIMULATED, so whoever sent it reads what is sealed to it; --allow-simulated says that this data key is no secret")
	}
	if c := r.Find("measurements.code"); !r.Simulated && c.Outcome != appraisal.Passed {
		return errors.New("the request is not accepted: your policy must name the code that may have the data, a waiver is not enough")
	}
	return nil
}

// answer opens the operator's slot, checks that it holds the key of the right log, and seals it.
func (f *answerFlags) answer(document []byte) ([]byte, error) {
	ev, err := evidence.ParseEvidence(document)
	if err != nil {
		return nil, err
	}
	request, err := evidence.ParseRecovery(ev.Statement)
	if err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(f.envelope)
	if err != nil {
		return nil, err
	}
	if evidence.Sum(sealed) != request.Envelope {
		return nil, fmt.Errorf("%s is not the envelope that the enclave could not open (it says SHA-256 %s)", f.envelope, request.Envelope)
	}
	raw, err := os.ReadFile(f.key)
	if err != nil {
		return nil, err
	}
	key, err := operator.ParseSecret(raw)
	if err != nil {
		return nil, err
	}
	dataKey, err := envelope.OpenAsOperator(sealed, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: it has no slot for this operator", f.envelope, err)
	}
	if err := keyOfLog(dataKey, f.origin); err != nil {
		return nil, err
	}
	return key.Answer(ev.Statement, dataKey)
}

// maxLogNumber bounds the search: a new number is an operator's act after a loss.
const maxLogNumber = 64

// keyOfLog checks that the data key is the one from which the log with this origin has its key. The public half of the operator's key
// is no secret: a host could have sealed a data key that it knows, and this check is why that helps nobody.
func keyOfLog(dataKey []byte, origin string) error {
	agent, _, ok := strings.Cut(strings.TrimPrefix(origin, "teapot/"), "/")
	if !ok || !strings.HasPrefix(origin, "teapot/") {
		return &exitError{code: 64, err: fmt.Errorf("--origin %q: want teapot/UUID/HASH", origin)}
	}
	root, err := sgx.RootOf(dataKey)
	if err != nil {
		return err
	}
	for number := range uint64(maxLogNumber) {
		path, err := keys.LogPath(agent, number)
		if err != nil {
			return &exitError{code: 64, err: fmt.Errorf("--origin %q: %w", origin, err)}
		}
		seed, err := gramine.Derive(root, path)
		if err != nil {
			return err
		}
		public := ed25519.NewKeyFromSeed(seed.Secret[:]).Public().(ed25519.PublicKey)
		if evidence.Origin(agent, evidence.PublicKey(public)) == origin {
			return nil
		}
	}
	return &exitError{code: 1, err: fmt.Errorf("the operator's slot holds the data key of another log than %s", origin), hint: "somebody may have put a key of their own there; use the newest envelope of this agent, and the origin from a receipt or verdict"}
}
