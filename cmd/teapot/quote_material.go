package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/pcs"
	"github.com/teapot-tee/teapot/verify"
	"github.com/teapot-tee/teapot/verify/policyfile"
)

func (f *judgeFlags) registerFetch(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.root, "root", "", "trust the root certificate in `FILE` (PEM or DER) instead of Intel's")
	flags.StringVar(&f.pccs, "pccs", "", "fetch collateral from this PCCS or PCS `URL` (default Intel's PCS)")
	flags.StringVar(&f.update, "update", "", "fetch TCB levels as they are published `WHEN`: early (at once) or standard (default the service's, standard)")
	flags.Uint64Var(&f.evaluation, "evaluation", 0, "fetch the TCB levels of this evaluation data `NUMBER` instead")
	flags.StringVar(&f.cache, "cache", defaultCollateralCache(), "`DIR` for fetched collateral; empty keeps nothing")
}

// defaultCollateralCache is in the user's cache directory; "" where there is none.
func defaultCollateralCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "teapot", "collateral")
}

// checkFetch refuses flags that contradict each other.
func (f *judgeFlags) checkFetch() error {
	switch {
	case f.update != "" && f.update != pcs.UpdateEarly && f.update != pcs.UpdateStandard:
		return &exitError{code: 64, err: fmt.Errorf("--update %q: want %s or %s", f.update, pcs.UpdateEarly, pcs.UpdateStandard)}
	case f.update != "" && f.evaluation != 0:
		return &exitError{code: 64, err: errors.New("--update and --evaluation exclude each other")}
	}
	return nil
}

// parseTime reads RFC 3339 or Unix seconds; "" is now.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--at: %q is neither RFC 3339 (2026-06-15T12:00:00Z) nor Unix seconds", text)
	}
	return at, nil
}

// readRoot reads a root certificate in PEM or DER; "" means Intel's.
func readRoot(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := readInput(path, nil)
	if err != nil {
		return nil, &exitError{code: 2, err: fmt.Errorf("--root: %w", err)}
	}
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	return b, nil
}

// readPolicy reads the file that "teapot verify" reads too; "" and an empty file are the strict policy.
func readPolicy(path string) (verify.Policy, error) {
	if path == "" {
		return verify.Policy{}, nil
	}
	p, err := policyfile.Load(path)
	if err != nil {
		return verify.Policy{}, &exitError{code: 2, err: fmt.Errorf("--policy: %w", err)}
	}
	return p, nil
}

// readCollateral reads the file, takes what lies beside the quote in a JSON document (evidence), or fetches. A quote
// that does not parse needs none: it is judged malformed.
func (f *judgeFlags) readCollateral(ctx context.Context, input, quote []byte, o dcap.Options) (*dcap.Collateral, error) {
	text, err := f.collateralText(ctx, input, quote, o)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return &dcap.Collateral{}, nil
	}
	c, err := dcap.ParseCollateral(text)
	if err != nil {
		return nil, &exitError{code: 2, err: err, hint: "collateral is dcap-qvl's JSON: \"teapot quote collateral\" writes it"}
	}
	return c, nil
}

// collateralText returns nil where no collateral could help.
func (f *judgeFlags) collateralText(ctx context.Context, input, quote []byte, o dcap.Options) ([]byte, error) {
	if f.collateral != "" {
		text, err := readInput(f.collateral, nil)
		if err != nil {
			return nil, &exitError{code: 2, err: fmt.Errorf("--collateral: %w", err)}
		}
		return text, nil
	}
	q, err := dcap.Parse(quote)
	if err != nil {
		return nil, nil //nolint:nilerr // Verify says what is wrong with the quote
	}
	if text := embeddedCollateral(input); text != nil {
		return text, nil
	}
	root := foreignRoot(quote)
	switch {
	case root == nil || o.Root != nil || f.pccs != "":
		return f.fetch(ctx, quote, o.Root)
	case o.AllowSimulated:
		return simulatedCollateral(ctx, q, root)
	}
	return nil, nil // nobody's collateral helps a root that is not trusted; Verify says so
}

// embeddedCollateral is the member "collateral" of a JSON document, as evidence has it; nil without.
func embeddedCollateral(input []byte) []byte {
	var document struct{ Collateral json.RawMessage }
	if json.Unmarshal(input, &document) != nil || len(document.Collateral) == 0 || document.Collateral[0] != '{' {
		return nil
	}
	return document.Collateral
}

func (f *judgeFlags) fetch(ctx context.Context, quote, root []byte) (json.RawMessage, error) {
	client := pcs.Client{BaseURL: f.pccs, Dir: f.cache, Root: root, Update: f.update, Number: f.evaluation}
	text, err := client.Collateral(ctx, quote)
	if err != nil {
		return nil, &exitError{code: 2, err: fmt.Errorf("no collateral: %w", err), hint: noCollateral(err)}
	}
	return text, nil
}

// noCollateral says what to do when none could be fetched.
func noCollateral(err error) string {
	var retired *pcs.RetiredError
	switch {
	case errors.As(err, &retired):
		return "ask for one that is served (--evaluation NUMBER), or leave the flag out"
	case errors.Is(err, pcs.ErrRollback):
		return "older levels than this machine has seen are never used again: ask another service (--pccs URL), or tell this one's operator"
	}
	return "pass --collateral FILE, or --pccs URL of a caching service that you can reach"
}
