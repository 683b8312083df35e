package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/actionlog/legacy"
	v1 "github.com/teapot-tee/teapot/server/v1"
)

func newLogExportCmd() *cobra.Command {
	var f logFlags
	var filter filterFlags
	var out string
	var bare bool
	cmd := &cobra.Command{
		Use:   "export [URL] -o FILE",
		Short: "Save entries with all evidence and proofs as a bundle",
		Long:  "Writes the portable file that teapot verify judges offline: the entries asked for, every start with its evidence, every erasure, and hashes for all that is left out.",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if out == "" {
				return &exitError{code: 64, err: errors.New("say where to: -o FILE (- is standard output)")}
			}
			s, err := f.openAt(cmd, given)
			if err != nil {
				return err
			}
			q := filter.values()
			if bare {
				q.Set("contents", "0")
			}
			return s.done(export(cmd, s, q, out, f.json))
		},
	}
	f.add(cmd)
	filter.add(cmd)
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE`, - for standard output")
	cmd.Flags().BoolVar(&bare, "no-contents", false, "leaves only, no contents")
	return cmd
}

func export(cmd *cobra.Command, s *logSource, q url.Values, out string, asJSON bool) error {
	if s.running {
		q.Set("nonce", nonceText())
	}
	resp, err := s.send(cmd.Context(), http.MethodGet, "bundle", q, nil)
	var busy *refusal
	if errors.As(err, &busy) && busy.Status == http.StatusServiceUnavailable {
		fmt.Fprintln(cmd.ErrOrStderr(), "teapot: no fresh session evidence:", busy.Cause, "– exporting without it")
		q.Del("nonce")
		resp, err = s.send(cmd.Context(), http.MethodGet, "bundle", q, nil)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == "-" {
		_, err := io.Copy(cmd.OutOrStdout(), resp.Body)
		return err
	}
	counted := &counter{r: resp.Body, p: newProgress(cmd.ErrOrStderr())}
	n, err := writeBundle(out, counted)
	counted.p.clear()
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"file": out, "entries": n, "bytes": counted.n, "agent": s.agent})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d entries, %d bytes\n", out, n, counted.n)
	fmt.Fprintf(cmd.ErrOrStderr(), "teapot: check it with: teapot verify %s\n", out)
	return nil
}

// nonceText is a nonce for a bundle: a running agent answers it with fresh evidence, a directory cannot.
func nonceText() string {
	var nonce [32]byte
	rand.Read(nonce[:])
	return hex.EncodeToString(nonce[:])
}

// counter counts what comes in and says so now and then.
type counter struct {
	r io.Reader
	p *progress
	n uint64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += uint64(n)
	c.p.bytes("exporting", c.n)
	return n, err
}

func newLogEraseCmd() *cobra.Command {
	var f logFlags
	var reason, requester, user string
	cmd := &cobra.Command{
		Use:   "erase [URL] INDEX... --reason TEXT",
		Short: "Destroy the content of entries for good; that they were there, and this erasure, stay for ever",
		Long: `Writes an erasure entry with the targets, the requester and the reason, and then destroys the keys of the contents. It cannot
be undone. The reason is public and cannot be erased itself: it must not name people. Boot, policy, intent, result and
erasure entries cannot be erased, and the policy in the boot statement says on whose demand others may be.`,
		Example: "  teapot log erase 17 18 --requester user --user alice --reason \"user request of 3 May\" --token $TEAPOT_TOKEN",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if strings.TrimSpace(reason) == "" {
				return &exitError{code: 64, err: errors.New("an erasure needs a reason: --reason TEXT"), hint: "it is public for ever; do not name people in it"}
			}
			given, err := f.at(cmd, given)
			if err != nil {
				return err
			}
			if len(given) == 0 {
				return &exitError{code: 64, err: errors.New("say which entries: their indices"), hint: "teapot log list shows them"}
			}
			targets, err := indices(given)
			if err != nil {
				return err
			}
			if f.data != "" {
				return &exitError{code: 64, err: errors.New("an erasure is an entry, and only a running agent can write one"), hint: "start the agent and leave --data out"}
			}
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			body := map[string]any{"targets": targets, "requester": requester, "user": user, "reason": reason}
			return s.done(eraseEntries(cmd, s, body, f.json))
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, public for ever")
	cmd.Flags().StringVar(&requester, "requester", "operator", "on whose demand: user, operator, agent or policy")
	cmd.Flags().StringVar(&user, "user", "", "real id of the `USER` who asked; with --requester user only this user's entries")
	return cmd
}

func indices(given []string) (out []uint64, err error) {
	for _, text := range given {
		for part := range strings.SplitSeq(text, ",") {
			i, err := entryIndex(part)
			if err != nil {
				return nil, err
			}
			out = append(out, i)
		}
	}
	return out, nil
}

func eraseEntries(cmd *cobra.Command, s *logSource, body map[string]any, asJSON bool) error {
	// An erasure that has begun is not stopped by the one who asked for it.
	resp, err := s.send(context.WithoutCancel(cmd.Context()), http.MethodPost, "erasures", nil, body, "Content-Type", "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var e v1.Entry
	if err := decodeAnswer(resp.Body, &e); err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), e)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "erased the content of %d entries; entry %d says so for ever\n", len(e.Erasure.Targets), e.Index)
	return nil
}

func newLogAuditLegacyCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "audit-legacy FILE",
		Short: "Say, row by row, what an Eliza plugin-tee-log database really proves",
		Long: `Reads a tee_log.sqlite of Eliza's plugin-tee-log and says for each row what its signature really covers (at best the agent id
and part of the room id, never type, content, user or time) and which rows are worth nothing. Exit 0 if every signature fits
what it covers, 1 if rows are worthless, 2 if the file could not be read.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			p := newProgress(cmd.ErrOrStderr())
			report, err := legacy.AuditFile(given[0], func(rows int) { p.rows("auditing", rows) })
			p.clear()
			if errors.Is(err, os.ErrNotExist) {
				return &exitError{code: 2, err: err, hint: "give the path of the database, usually data/tee_log.sqlite"}
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				printLegacy(cmd.OutOrStdout(), &report)
			}
			if err == nil && report.Worthless > 0 {
				return &exitError{code: 1}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printLegacy(w io.Writer, r *legacy.Report) {
	for _, f := range r.Rows {
		word := "signature " + f.Signature
		if f.Worthless {
			word = "WORTHLESS"
		}
		fmt.Fprintf(w, "%s  %s  %s\n", plain(f.ID), plain(f.Type), word)
		fmt.Fprintf(w, "    covers       %s\n", f.Covers)
		fmt.Fprintf(w, "    not covered  %s\n", strings.Join(f.NotCovered, ", "))
		if f.SameAs > 1 {
			fmt.Fprintf(w, "    shared       %d rows carry this very signature\n", f.SameAs)
		}
		if f.Why != "" {
			fmt.Fprintf(w, "    why          %s\n", f.Why)
		}
	}
	fmt.Fprintf(w, "\n%d rows, %d distinct signatures; in %d the signature fits what it covers, %d are worthless.\n%s\n", r.Total, r.Distinct, r.Fit, r.Worthless, r.NotProven)
}
