package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/client"
)

func newBundleCmd() *cobra.Command {
	var out, agent, token string
	var q client.BundleQuery
	cmd := &cobra.Command{
		Use:     "bundle URL -o FILE",
		Short:   "Save an agent's log with all its evidence as one file that anybody can verify offline",
		Example: "  teapot bundle http://127.0.0.1:3000 -o agent.bundle && teapot verify agent.bundle --allow-simulated",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if out == "" {
				return &exitError{code: 64, err: errors.New("say where to: -o FILE (- is standard output)")}
			}
			return saveBundle(cmd, given[0], out, agent, token, q)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "output", "o", "", "write to `FILE`, - for standard output")
	flags.StringVar(&agent, "agent", "", "agent `UUID` or its name; needed when the server has several")
	tokenFlag(cmd, &token, "bearer `TOKEN`, for contents that are not public")
	flags.Uint64Var(&q.From, "from", 0, "from this `INDEX` on")
	flags.Uint64Var(&q.To, "to", 0, "before this `INDEX`")
	flags.StringVar(&q.Type, "type", "", "only this entry `TYPE`")
	return cmd
}

func saveBundle(cmd *cobra.Command, url, out, agent, token string, q client.BundleQuery) error {
	base, err := client.ParseAddress(url)
	if err != nil {
		return &exitError{code: 64, err: err}
	}
	c, err := client.New(url, client.Options{Token: tokenFor(cmd, base, token)})
	if err != nil {
		return hinted(err)
	}
	if agent, err = oneAgent(cmd, c, agent); err != nil {
		return hinted(err)
	}
	q.Nonce = make([]byte, 32)
	_, _ = rand.Read(q.Nonce) // never fails (crypto/rand)
	stream, err := c.Bundle(cmd.Context(), agent, q)
	if err != nil {
		return hinted(err)
	}
	defer stream.Close()
	if out == "-" {
		_, err = io.Copy(cmd.OutOrStdout(), stream)
		return err
	}
	n, err := writeBundle(out, stream)
	if err != nil {
		return hinted(err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "teapot: %s: %d entries; check it with: teapot verify %s\n", out, n, out)
	return nil
}

// oneAgent finds the agent a command is about: the one that is named by id or name, else the only one there.
func oneAgent(cmd *cobra.Command, c *client.Client, agent string) (string, error) {
	info, err := c.Info(cmd.Context())
	if err != nil {
		return "", err
	}
	list, found := "", []string(nil)
	for _, a := range info.Agents {
		list += fmt.Sprintf("\n  %s %s", a.ID, plain(a.Name))
		if agent == "" || strings.EqualFold(a.ID, agent) || a.Name == agent {
			found = append(found, a.ID)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case agent != "" && len(found) == 0:
		return "", &exitError{code: 64, err: fmt.Errorf("no agent %q there; there are%s", agent, list)}
	}
	return "", &exitError{code: 64, err: fmt.Errorf("the server has %d agents: choose one with --agent%s", len(info.Agents), list)}
}

// writeBundle writes beside the target and renames, so that a broken transfer leaves no half file; it reads what it
// writes, so that a cut stream is noticed now and not by whoever gets the file.
func writeBundle(path string, stream io.Reader) (entries uint64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".bundle-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, removeIfThere(f.Name())) }()
	entries, err = readThrough(io.TeeReader(stream, f))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	return entries, os.Rename(f.Name(), path)
}

func readThrough(stream io.Reader) (entries uint64, err error) {
	r, err := bundle.NewReader(stream)
	if err != nil {
		return 0, err
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return 0, err
		}
		if !item.Left() {
			entries++
		}
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// hinted puts a client error's next step behind it.
func hinted(err error) error {
	var typed *client.Error
	if errors.As(err, &typed) {
		return &exitError{code: 2, err: err, hint: typed.Hint()}
	}
	return err
}
