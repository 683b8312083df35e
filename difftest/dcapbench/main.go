// Command dcapbench prints how fast package dcap verifies, as ratios to the pure P-256 floor and to go-tdx-guest, all
// measured in one run on one core by CPU time. It exits 1 when a target of the table is missed.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/difftest/tdxguest"
)

const rounds = 9

// row is one line of the table.
type row struct {
	name       string
	signatures int
	target     float64 // of the floor
	op         func()
	batch      int
	perOp      []float64 // µs CPU, one per round
}

func main() {
	runtime.GOMAXPROCS(1)
	s, err := newScene()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dcapbench:", err)
		os.Exit(2)
	}
	floor := &row{name: "P-256 verify", signatures: 1, op: floorOp(), batch: 400}
	peer := &row{name: "go-tdx-guest v0.3.1, collateral and CRLs", op: s.peer, batch: 20}
	same := &row{name: "teapot, the same quote and collateral, cold", signatures: 9, op: s.coldSimulated, batch: 50}
	rows := []*row{
		{name: "cold", signatures: 9, target: 0.65, op: s.cold, batch: 50},
		{name: "warm, new platform", signatures: 3, target: 0.75, op: s.newPlatform, batch: 100},
		{name: "warm, known platform", signatures: 2, target: 0.80, op: s.knownPlatform, batch: 150},
		{name: "warm, known attestation key", signatures: 1, target: 0.75, op: s.knownKey, batch: 300},
	}
	for range rounds {
		for _, r := range append([]*row{floor, peer, same}, rows...) {
			r.measure()
		}
	}
	if !report(floor, peer, same, rows) {
		os.Exit(1)
	}
}

func (r *row) measure() {
	runtime.GC()
	start := cpu()
	for range r.batch {
		r.op()
	}
	r.perOp = append(r.perOp, float64((cpu()-start).Nanoseconds())/1000/float64(r.batch))
}

func (r *row) median() float64 {
	sorted := slices.Sorted(slices.Values(r.perOp))
	return sorted[len(sorted)/2]
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("internal: getrusage: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(floor, peer, same *row, rows []*row) bool {
	f, good := floor.median(), true
	fmt.Printf("dcap: quote verification, one core, CPU time, median of %d rounds\n", rounds)
	fmt.Printf("%-44s %10s %10s %8s %8s\n", "", "µs/op", "per s", "of floor", "target")
	fmt.Printf("%-44s %10.1f %10.0f\n", floor.name, f, 1e6/f)
	for _, r := range rows {
		m := r.median()
		ratio := float64(r.signatures) * f / m
		good = good && ratio >= r.target
		fmt.Printf("%-44s %10.1f %10.0f %8.2f %8.2f%s\n", fmt.Sprintf("%s (%d signatures)", r.name, r.signatures), m, 1e6/m, ratio, r.target, missed(ratio, r.target))
	}
	times := peer.median() / same.median()
	good = good && times >= 2
	fmt.Printf("%-44s %10.1f %10.0f\n", peer.name, peer.median(), 1e6/peer.median())
	fmt.Printf("%-44s %10.1f %10.0f %7.1fx %7.1fx%s\n", same.name, same.median(), 1e6/same.median(), times, 2.0, missed(times, 2))
	return good
}

func missed(got, target float64) string {
	if got < target {
		return "  MISSED"
	}
	return ""
}

func floorOp() func() {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	digest := sha256.Sum256([]byte("floor"))
	signature, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	must(err)
	return func() {
		if !ecdsa.VerifyASN1(&k.PublicKey, digest[:], signature) {
			panic("internal: floor does not verify")
		}
	}
}

func must(err error) {
	if err != nil {
		panic("internal: " + err.Error())
	}
}

func (s *scene) peer() {
	must(tdxguest.Verify(s.sim.quote, s.sim.parse(), s.sim.options.Root, s.sim.options.At))
}

func (s *scene) coldSimulated() {
	var v dcap.Verifier
	s.sim.verify(&v, s.sim.quote, s.sim.parse())
}
