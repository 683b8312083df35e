package main

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/detect"
	"github.com/teapot-tee/teapot/dcap/pcs"
	"github.com/teapot-tee/teapot/server"
)

// collateralWait bounds how long a start or a session waits for Intel: without collateral readers fetch it themselves.
const collateralWait = 10 * time.Second

// collateralSource is the simulator's own PKI; on hardware Intel's service, or the PCCS that TEAPOT_PCCS_URL names, with a cache
// in the data directory. A simulator that hands out none leaves evidence without.
func collateralSource(a attest.Attester, found detect.Finding, data string) attest.CollateralSource {
	if own, ok := a.(attest.CollateralSource); ok {
		return own
	}
	if found.Simulated {
		return nil
	}
	return bounded{&pcs.Client{BaseURL: os.Getenv("TEAPOT_PCCS_URL"), Dir: filepath.Join(data, "collateral")}}
}

// readersCollateral is for quotes of other machines that readers open in the explorer: Intel's documents whatever runs here, from a
// client of its own, so that no reader holds up this process's evidence.
func (r *running) readersCollateral() server.CollateralSource {
	return &pcs.Client{BaseURL: os.Getenv("TEAPOT_PCCS_URL"), Dir: filepath.Join(r.flags.data, "collateral")}
}

// bounded gives up on a slow source.
type bounded struct{ attest.CollateralSource }

// Collateral asks for at most collateralWait.
func (b bounded) Collateral(ctx context.Context, quote []byte) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, collateralWait)
	defer cancel()
	return b.CollateralSource.Collateral(ctx, quote)
}

func cmpStrings(a, b string) int { return cmp.Compare(a, b) }
