package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/boot/measured"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/guestapi"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/tee"
	v1 "github.com/teapot-tee/teapot/server/v1"
	"github.com/teapot-tee/teapot/server/wallet"
)

type serveFlags struct {
	processFlags
	agents   []string
	guestDir string
}

func newServeCmd() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Stand beside an agent written in any language: attested keys, a log of every action, the page that proves it",
		Long: `The agent logs with one call: POST /v1/agents/ID/entries (token, or the unix socket), and gets the proof as the answer.
With --guest-dir other processes find dstack's and tappd's API there, under the policy of [[guest]] in --config, else under
the usual one (keys, quotes and info; no certificates with a quote inside), and the boot statement says which. Teapot refuses quotes that
begin with TEAPOT and keys under teapot/, so nothing they get can be mistaken for Teapot's.
Readers with Eliza's clients find POST /tee/logs and GET /tee/agents.`,
		Example: "  teapot serve --agent my-agent --socket /run/teapot/log.sock",
		Args:    args(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.flags(cmd)
	cmd.Flags().StringArrayVar(&f.agents, "agent", []string{"agent"}, "agent to keep a log for, NAME or NAME=UUID (repeat)")
	cmd.Flags().StringVar(&f.guestDir, "guest-dir", "", "make log.sock (unless --socket) and, as [[guest]] in --config allows, dstack.sock and tappd.sock for other processes in this directory")
	return cmd
}

func (f *serveFlags) run(cmd *cobra.Command) error {
	specs, err := agentSpecs(f.agents, f.logNumber)
	if err != nil {
		return &exitError{code: 64, err: err}
	}
	if f.guestDir != "" && f.unix == "" {
		f.unix, f.unixMode = filepath.Join(f.guestDir, "log.sock"), 0o666 // the agent beside runs as another user; who mounts the directory is let in
	}
	if f.usualGuest = f.guestDir != ""; f.usualGuest {
		if err := os.MkdirAll(f.guestDir, 0o755); err != nil {
			return err
		}
	}
	r, err := f.start(cmd, specs, nil, []string{"sidecar"})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	if err := r.guests(ctx, f.guestDir, cancel); err != nil {
		return errors.Join(err, r.close())
	}
	return r.serve(ctx, r.sidecarRoutes, func(addr net.Addr) { r.banner(cmd.ErrOrStderr(), addr) })
}

func agentSpecs(list []string, logNumber uint64) ([]boot.AgentSpec, error) {
	var specs []boot.AgentSpec
	for _, entry := range list {
		name, id, given := strings.Cut(entry, "=")
		if name == "" {
			return nil, errors.New("--agent: a name is needed")
		}
		if !given {
			id = uuid.Of(name)
		}
		specs = append(specs, boot.AgentSpec{ID: strings.ToLower(id), Name: name, LogNumber: logNumber, Character: fmt.Appendf(nil, "{\"name\":%q}", name)})
	}
	return specs, nil
}

// sidecarRoutes are Teapot's own, and Eliza's /tee/* for readers that know no other.
func (r *running) sidecarRoutes(mux *http.ServeMux, budget *ratls.Budget) {
	r.logRoutes(mux, budget)
	tee.Options{Agents: r.teeAgents, Token: access.NewToken(r.token), Process: r.process, Quoter: r.attester, Budget: budget, Logger: r.logger}.Register(mux)
}

func (r *running) teeAgents() []tee.Agent {
	var list []tee.Agent
	for _, a := range r.process.Agents() {
		list = append(list, tee.Agent{ID: a.ID, Name: a.Name, Log: a.Log})
	}
	return list
}

// logRoutes are Teapot's own routes over logs and wallets.
func (r *running) logRoutes(mux *http.ServeMux, budget *ratls.Budget) {
	token := access.NewToken(r.token)
	v1.Logs{Agent: r.log, Token: token, Session: r.bundleSession(budget), Stopping: r.stopping}.Register(mux)
	wallet.Routes{Token: token, Agent: func(id string) (wallet.Owner, bool) {
		a, ok := r.process.Agent(id)
		if !ok {
			return wallet.Owner{}, false
		}
		return wallet.Owner{Wallets: a.Wallets(), Log: a.Log}, true
	}}.Register(mux)
}

func (r *running) log(id string) (*actionlog.Log, bool) {
	a, ok := r.process.Agent(id)
	if !ok {
		return nil, false
	}
	return a.Log, true
}

// bundleSession makes the session evidence inside a bundle, under the budget that all quotes share.
func (r *running) bundleSession(budget *ratls.Budget) func(*http.Request, []byte) ([]byte, error) {
	return func(req *http.Request, nonce []byte) ([]byte, error) {
		if wait := budget.Take(time.Now()); wait > 0 {
			return nil, fmt.Errorf("the budget for quotes is used up; ask again in %s, or without a nonce", wait.Round(time.Second))
		}
		return r.process.Session(req.Context(), nonce, evidence.Channel{Kind: evidence.ChannelNone})
	}
}

// guests serves the guest API on the sockets of the measured configuration, or of the usual guest.
func (r *running) guests(ctx context.Context, dir string, fail context.CancelCauseFunc) error {
	if dir == "" {
		return nil
	}
	for _, g := range r.config.Guests {
		api, err := r.guestServer(ctx, g)
		if err != nil {
			return err
		}
		for _, name := range guestSockets(g, len(r.config.Guests)) {
			listener, err := guestapi.ListenUnix(filepath.Join(dir, name), 0o666)
			if err != nil {
				return err
			}
			r.guestLines = append(r.guestLines, fmt.Sprintf("%s for %s", filepath.Join(dir, name), g.Name))
			go func() {
				if err := guestapi.Serve(ctx, server.Bound(listener), api, guestapi.Limits{}); err != nil && ctx.Err() == nil {
					fail(fmt.Errorf("guest API on %s: %w", name, err))
				}
			}()
		}
	}
	return nil
}

// guestSockets names the sockets as dstack's SDKs expect them when there is one guest, by the guest's name otherwise.
func guestSockets(g measured.Guest, guests int) []string {
	if guests == 1 {
		return []string{"dstack.sock", "tappd.sock"}
	}
	return []string{g.Name + ".sock"}
}

func (r *running) close() error {
	return errors.Join(r.process.Close(), r.attester.Close(), r.unlisten())
}
