package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/detect"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/boot/measured"
	"github.com/teapot-tee/teapot/deploy/appcompose"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server"
	"github.com/teapot-tee/teapot/server/limit"
)

// processFlags are what `run` and `serve` share.
type processFlags struct {
	addr, data, unix, config, appCompose string
	pins, names, proxies                 []string
	proxyHeader                          bool
	recoveryKey                          string
	tls, verbose, sealToSigner           bool
	logNumber                            uint64
	public                               publicFlags

	unixMode   os.FileMode // of the socket; 0: only this user
	usualGuest bool        // where the configuration names no guest, one with the usual policy is let in
}

func (f *processFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.addr, "addr", defaultAddr(), "listen on HOST:PORT")
	cmd.Flags().StringVar(&f.data, "data", defaultData(), "data directory")
	cmd.Flags().StringVar(&f.unix, "socket", "", "also listen on this unix socket; its peers need no token")
	cmd.Flags().StringVar(&f.config, "config", "", "TOML with spending, erasure and guest API policy (docs/configuration.md)")
	cmd.Flags().StringVar(&f.appCompose, "app-compose", "", "app-compose.json, where the platform cannot tell it (tappd before 0.3.4) or as the simulator's identity")
	cmd.Flags().StringArrayVar(&f.pins, "pin", nil, "SHA-256 of a file that may be used; on a measured command line the file counts as measured (repeat)")
	cmd.Flags().BoolVar(&f.tls, "tls", false, "attested TLS with a key made at this start")
	cmd.Flags().StringArrayVar(&f.names, "tls-name", nil, "`NAME` in the TLS certificate (repeat; implies --tls)")
	f.proxyFlags(cmd)
	f.public.flags(cmd)
	cmd.Flags().BoolVar(&f.sealToSigner, "seal-to-signer", false, "SGX: any code of the same signer may open the data (survives upgrades; shows in custody)")
	cmd.Flags().StringVar(&f.recoveryKey, "recovery-key", "", "SGX: an operator's public key, a trusted `FILE` of the manifest: its owner can give the data back after a microcode update (teapot provision; shows in custody)")
	cmd.Flags().Uint64Var(&f.logNumber, "log-number", 0, "after a loss: start this log number instead of 0; readers see that earlier history may be missing")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "log every step")
}

// running is a started process on its way to serving.
type running struct {
	flags    *processFlags
	process  *boot.Process
	attester attest.Attester
	finding  detect.Finding
	config   measured.Config
	seal     *ratls.SealKeys
	tls      *tls.Config
	leaf     []byte
	public   *ratls.Public // nil without --public-name
	token    string
	// tokenFrom says where the operator finds it, never what it is.
	tokenFrom string
	// guestLines say in the banner where other processes find the guest API.
	guestLines []string
	logger     *slog.Logger
	failed     chan error      // the log cannot go on
	listener   net.Listener    // taken before anything is written
	local      *server.Local   // the same, on a unix socket; nil: none
	stopping   <-chan struct{} // ends live streams
	proxies    limit.Proxies   // whose X-Forwarded-For is believed
	budget     *ratls.Budget   // of quotes, for all who ask
}

// start detects the platform and runs boot.Start.
func (f *processFlags) start(cmd *cobra.Command, agents []boot.AgentSpec, unmeasured []evidence.Unmeasured, plugins []string) (*running, error) {
	r := &running{flags: f, logger: newLogger(cmd.ErrOrStderr(), f.verbose), failed: make(chan error, 1), budget: ratls.DefaultBudget()}
	var err error
	if r.proxies, err = f.trustedProxies(); err != nil {
		return nil, &exitError{code: 64, err: err, hint: "name the address from which your reverse proxy connects, as in --trusted-proxy 127.0.0.1"}
	}
	raw, more, err := f.readConfig()
	if err != nil {
		return nil, err
	}
	if r.config, err = measured.Parse(raw); err != nil {
		return nil, &exitError{code: 64, err: fmt.Errorf("%s: %w", f.config, err), hint: "docs/configuration.md lists the fields"}
	}
	if f.usualGuest && len(r.config.Guests) == 0 {
		r.config.Guests = []measured.Guest{measured.UsualGuest("app")}
	}
	if r.listener, err = server.Listen(f.addr); err != nil {
		return nil, err
	}
	if f.unix != "" {
		if r.local, err = server.ListenUnix(f.unix, f.unixMode); err != nil {
			return nil, errors.Join(err, r.unlisten())
		}
	}
	if err := r.detect(cmd.Context(), cmd.ErrOrStderr()); err != nil {
		return nil, errors.Join(err, r.unlisten())
	}
	if err := r.boot(cmd.Context(), raw, agents, append(unmeasured, more...), plugins); err != nil {
		return nil, errors.Join(err, r.attester.Close(), r.unlisten())
	}
	return r, r.makeToken()
}

// unlisten gives the addresses back where serve was not reached.
func (r *running) unlisten() error {
	err := r.listener.Close()
	if r.local != nil {
		err = errors.Join(err, r.local.Close())
	}
	return err
}

func (r *running) detect(ctx context.Context, notice io.Writer) error {
	var compose []byte
	if r.flags.appCompose != "" {
		var err error
		if compose, err = os.ReadFile(r.flags.appCompose); err != nil {
			return err
		}
	}
	env := detect.Environment{Dir: r.flags.data, AppCompose: compose}
	if err := r.flags.rootKeys(ctx, &env, notice); err != nil { // before the data directory: it may be a mount that this unlocks
		return err
	}
	if err := os.MkdirAll(r.flags.data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w; choose another with --data", err)
	}
	a, finding, err := detect.Detect(ctx, env)
	if err != nil {
		return err
	}
	r.attester, r.finding = a, finding
	if a.Custody() == evidence.ThisStart {
		fmt.Fprint(notice, oneStart)
	}
	return nil
}

func (r *running) boot(ctx context.Context, config []byte, agents []boot.AgentSpec, unmeasured []evidence.Unmeasured, plugins []string) error {
	var err error
	if r.seal, err = ratls.NewSealKeys(); err != nil {
		return err
	}
	var spki []byte
	if r.flags.tls || len(r.flags.names) > 0 || len(r.flags.public.names) > 0 { // a name is for a certificate: never plain HTTP with one
		if spki, err = r.makeTLS(ctx); err != nil {
			return err
		}
	}
	info, err := r.attester.Info(ctx)
	if err != nil {
		return fmt.Errorf("asking the platform what it was started with: %w", err)
	}
	if err := appcompose.CheckLaunch(info.AppCompose, os.Getenv("TEAPOT_LAUNCH_TOKEN")); err != nil {
		return err
	}
	unmeasured = append(unmeasured, info.Unmeasured...)
	slices.SortFunc(unmeasured, func(a, b evidence.Unmeasured) int { return cmpStrings(a.Name, b.Name) })
	unmeasured = slices.CompactFunc(unmeasured, func(a, b evidence.Unmeasured) bool { return a.Name == b.Name })
	r.process, err = boot.Start(ctx, boot.Config{
		Dir: r.flags.data, Attester: r.attester, Simulated: r.finding.Simulated, Collateral: collateralSource(r.attester, r.finding, r.flags.data),
		Software: evidence.Software{Name: "teapot", Version: version}, Configuration: config, Plugins: plugins,
		Policies: r.config.Policies(), Unmeasured: unmeasured, TLSKey: spki, HPKEKeys: r.seal.Public(),
		Agents: agents, Now: time.Now, Logger: r.logger, Fatal: func(err error) { r.failed <- err },
	})
	return err
}
