package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/devattest"
	"github.com/teapot-tee/teapot/guestapi"
	"github.com/teapot-tee/teapot/server"
)

// simulateFlags are the flags of teapot simulate.
type simulateFlags struct {
	addr, seed, data, appCompose, sgx, appKeys string
	platformSocket                             string
	sockets                                    []string
	requests, sgxPipes                         bool
}

func newSimulateCmd() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play a TEE for other people's programs: tappd, dstack guest agent, /dev/attestation (NOT A TEE)",
		Long: `Play a TEE for programs written for dstack (tappd 0.3, guest agent 0.4 to 0.6) or for Gramine SGX.

Quotes have Intel's layout and verify under a development root ("teapot quote verify --allow-simulated").
Nothing is protected: whoever runs this has every key.`,
		Example: `  teapot simulate
  teapot simulate --socket /tmp/tappd.sock --socket /tmp/dstack.sock --seed 00112233445566778899aabbccddeeff
  teapot simulate --sgx /dev/attestation --app-compose app-compose.json --data ./simulator
  teapot simulate --platform-socket ./platform.sock      and beside it: DSTACK_SIMULATOR_ENDPOINT=./platform.sock teapot run`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return simulate(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.addr, "addr", "127.0.0.1:8090", `TCP address; "" for none`)
	cmd.Flags().StringArrayVar(&f.sockets, "socket", nil, "unix socket to serve as well (repeatable)")
	cmd.Flags().StringVar(&f.seed, "seed", "", "hex: the same keys at every start, and for everybody who knows or guesses it")
	cmd.Flags().StringVar(&f.data, "data", "", "directory that keeps root, keys and instance; without it they are new at every start")
	cmd.Flags().StringVar(&f.appCompose, "app-compose", "", "app-compose.json whose exact bytes are the measured identity")
	cmd.Flags().StringVar(&f.sgx, "sgx", "", "directory to play /dev/attestation in (FUSE, or FIFOs without /dev/fuse)")
	cmd.Flags().BoolVar(&f.sgxPipes, "sgx-pipes", false, "use named pipes for --sgx even where FUSE is there")
	cmd.Flags().StringVar(&f.appKeys, "appkeys", "", "dstack appkeys.json to answer callers' keys from (compatibility fixtures)")
	cmd.Flags().StringVar(&f.platformSocket, "platform-socket", "", "unix socket on which it is the platform of one Teapot: quotes its statements and gives keys under teapot/, which every other address refuses. Mount it into that Teapot only")
	cmd.Flags().BoolVar(&f.requests, "requests", false, "print a line per request")
	return cmd
}

func simulate(ctx context.Context, f simulateFlags, stdout, stderr io.Writer) error {
	simulator, err := f.simulator()
	if err != nil {
		return err
	}
	handler, err := f.handler(simulator, false, stderr)
	if err != nil {
		return err
	}
	platform, err := f.handler(simulator, true, stderr)
	if err != nil {
		return err
	}
	if err := keepCollateral(simulator); err != nil {
		fmt.Fprintln(stderr, "teapot: note: verifiers must ask for collateral, it could not be kept:", err)
	}
	listeners, err := f.listen()
	if err != nil {
		return err
	}
	var played *devattest.Played
	if f.sgx != "" {
		if played, err = f.play(simulator); err != nil {
			return errors.Join(err, closeAll(listeners))
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	if err := f.announce(simulator, listeners, stdout, stderr); err != nil {
		return err
	}
	if played != nil {
		fmt.Fprintf(stdout, "playing %s (%s)\n", f.sgx, played.How)
		group.Go(func() error { <-ctx.Done(); return played.Close() })
	}
	for _, ln := range listeners {
		served := handler
		if f.platform(ln) {
			served = platform
		}
		group.Go(func() error { return guestapi.Serve(ctx, ln, served, guestapi.Limits{}) })
	}
	return group.Wait()
}

// platform says whether a listener is the platform's own socket; a TCP address of the same name is not.
func (f simulateFlags) platform(ln net.Listener) bool {
	return f.platformSocket != "" && ln.Addr().Network() == "unix" && ln.Addr().String() == f.platformSocket
}

// play plays /dev/attestation until the returned Played is closed.
func (f simulateFlags) play(simulator *sim.Simulator) (*devattest.Played, error) {
	root, _ := simulator.AppRoot()
	return devattest.Play(f.sgx, devattest.Options{Enclave: simulator, Seed: root[:], Pipes: f.sgxPipes})
}

func (f simulateFlags) simulator() (*sim.Simulator, error) {
	o := sim.Options{Dir: f.data}
	if f.seed != "" {
		seed, err := hex.DecodeString(strings.TrimPrefix(f.seed, "0x"))
		if err != nil || len(seed) == 0 {
			return nil, &exitError{code: 64, err: errors.New("--seed wants bytes in hex"), hint: "openssl rand -hex 32 makes a good one"}
		}
		if len(seed) < 16 { // short ones are for demonstrations
			sum := sha256.Sum256(append([]byte("teapot-simulate short seed "), seed...))
			seed = sum[:]
		}
		o.Seed = seed
	}
	if f.appCompose != "" {
		raw, err := os.ReadFile(f.appCompose)
		if err != nil {
			return nil, fmt.Errorf("reading the app-compose file: %w", err)
		}
		o.AppCompose = raw
	}
	if f.data != "" {
		if _, _, err := attest.ReadRecord(f.data); err != nil { // before anything is written there
			return nil, err
		}
	}
	simulator, err := sim.New(o)
	if err != nil {
		return nil, err
	}
	if f.data != "" {
		return simulator, attest.Claim(f.data, simulator)
	}
	return simulator, nil
}

// handler answers as the platform's guest agent. Only on the platform's own socket may the caller be a Teapot.
func (f simulateFlags) handler(simulator *sim.Simulator, toTeapot bool, stderr io.Writer) (http.Handler, error) {
	keys, err := f.keys(simulator)
	if err != nil {
		return nil, err
	}
	api, err := guestapi.New(guestapi.Options{
		Attester: simulator, Keys: keys, Policy: guestapi.AllowEverything(), Rev: "teapot-" + version, Simulated: true,
		AllowTeapotStatements: toTeapot,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.HandleFunc("GET /teapot/root.pem", func(w http.ResponseWriter, _ *http.Request) {
		writeSized(w, "application/x-pem-file", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: simulator.RootDER()}))
	})
	mux.HandleFunc("GET /teapot/collateral/{tee}", func(w http.ResponseWriter, r *http.Request) { handCollateral(w, r, simulator) })
	servePCS(mux, simulator)
	if f.requests {
		return logRequests(mux, stderr), nil
	}
	return mux, nil
}

func (f simulateFlags) keys(simulator *sim.Simulator) (*guestapi.Root, error) {
	if f.appKeys != "" {
		raw, err := os.ReadFile(f.appKeys)
		if err != nil {
			return nil, fmt.Errorf("reading appkeys: %w", err)
		}
		return guestapi.RootFromAppKeys(raw)
	}
	ca, err := guestapi.SelfSignedCA(simulator.CAKey(), "Teapot SIMULATED")
	if err != nil {
		return nil, err
	}
	root, kmsLink := simulator.AppRoot()
	return guestapi.NewRoot(root, kmsLink, ca)
}

// handCollateral hands out what a verifier needs beside a simulated quote, as dcap-qvl JSON; {tee} is tdx or sgx.
func handCollateral(w http.ResponseWriter, r *http.Request, simulator *sim.Simulator) {
	tee, ok := simulatedTEEs()[r.PathValue("tee")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	raw, err := simulator.CollateralFor(tee)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeSized(w, "application/json", raw)
}

func writeSized(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body) // the caller is gone: nobody is left to tell
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, ln := range listeners {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}

func (f simulateFlags) listen() (listeners []net.Listener, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(listeners))
		}
	}()
	if f.addr != "" {
		ln, err := server.Listen(f.addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			return listeners, &exitError{code: 2, err: err, hint: `another simulator may be running; --addr 127.0.0.1:0 takes a free port, --addr "" with --socket none`}
		}
		if err != nil {
			return listeners, &exitError{code: 2, err: fmt.Errorf("--addr: %w", err), hint: "an address is HOST:PORT, as 127.0.0.1:8090"}
		}
		listeners = append(listeners, ln)
	}
	for _, path := range f.sockets {
		ln, err := guestapi.ListenUnix(path, 0o777)
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, ln)
	}
	if f.platformSocket != "" {
		ln, err := guestapi.ListenUnix(f.platformSocket, 0o600) // whoever reaches it is that Teapot
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, ln)
	}
	if len(listeners) == 0 && f.sgx == "" {
		return nil, &exitError{code: 64, err: errors.New("nothing to serve"), hint: "give --addr, --socket, --platform-socket or --sgx"}
	}
	return listeners, nil
}
