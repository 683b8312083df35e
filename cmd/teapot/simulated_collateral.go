package main

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// defaultSimulator is where teapot simulate listens when it is told nothing.
const defaultSimulator = "http://127.0.0.1:8090"

// simulatedTEEs are the two kinds of quotes a simulator makes, by the names in paths.
func simulatedTEEs() map[string]pki.TEE { return map[string]pki.TEE{"tdx": pki.TDX, "sgx": pki.SGX} }

// keptCollateral is the file that holds a simulator's collateral for quotes of one TEE; named by the root, because every simulator
// has its own. "" where the user has no cache directory.
func keptCollateral(rootDER []byte, tee string) string {
	dir := defaultCollateralCache()
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "simulated", fmt.Sprintf("%x-%s.json", sha256.Sum256(rootDER), tee))
}

// keepCollateral leaves the simulator's collateral where "teapot quote verify --allow-simulated" of this user finds it. It is as
// trustworthy as the simulator: not at all, and it is looked at only for quotes under that simulator's root.
func keepCollateral(simulator *sim.Simulator) error {
	for name, tee := range simulatedTEEs() {
		path := keptCollateral(simulator.RootDER(), name)
		if path == "" {
			return nil
		}
		raw, err := simulator.CollateralFor(tee)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := attest.WriteFile(path, raw); err != nil {
			return err
		}
	}
	return nil
}

// foreignRoot is the DER of a quote's root where it is not Intel's, else nil.
func foreignRoot(quote []byte) []byte {
	root := lastCertificate(quote)
	if string(root) == string(dcap.IntelRoot()) {
		return nil
	}
	return root
}

// simulatedCollateral finds the collateral of a quote under a simulator's root: what a simulator of this user kept, or what the one
// on the default address says.
func simulatedCollateral(ctx context.Context, q *dcap.Quote, root []byte) ([]byte, error) {
	tee := strings.ToLower(q.Header.TEE.String())
	if path := keptCollateral(root, tee); path != "" {
		if raw, err := os.ReadFile(path); err == nil {
			return raw, nil
		}
	}
	if raw := askSimulator(ctx, tee); raw != nil {
		return raw, nil
	}
	return nil, &exitError{
		code: 2, err: fmt.Errorf("no collateral for this simulated quote (root %x)", sha256.Sum256(root)),
		hint: "ask the simulator that made it: curl http://ADDRESS/teapot/collateral/" + tee + ", then --collateral FILE",
	}
}

// askSimulator returns nil when no simulator answers. Whether its collateral fits the quote shows when both are judged.
func askSimulator(ctx context.Context, tee string) []byte {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, defaultSimulator+"/teapot/collateral/"+tee, http.NoBody)
	if err != nil {
		return nil
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil
	}
	return raw
}

// lastCertificate is the DER of the last PEM certificate in a quote: the root that its maker claims.
func lastCertificate(quote []byte) (der []byte) {
	for block, rest := pem.Decode(quote); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			der = block.Bytes
		}
	}
	return der
}
