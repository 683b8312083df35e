package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/teapot-tee/teapot/server/v1"
)

func newLogListCmd() *cobra.Command {
	var f logFlags
	var filter filterFlags
	var limit int
	var cursor string
	var oldest, all, count bool
	cmd := &cobra.Command{
		Use:   "list [URL]",
		Short: "List entries, newest first",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			s, err := f.openAt(cmd, given)
			if err != nil {
				return err
			}
			q := filter.values()
			q.Set("order", "desc")
			if oldest {
				q.Set("order", "asc")
			}
			if count {
				q.Set("count", "1")
			}
			if cursor != "" {
				q.Set("cursor", cursor)
			}
			q.Set("limit", strconv.Itoa(limit))
			return s.done(list(cmd, s, q, f.json, all))
		},
	}
	f.add(cmd)
	filter.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&filter.text, "text", "", "only entries whose content, as far as you may see it, holds this `TEXT`")
	flags.IntVarP(&limit, "limit", "n", 20, "entries per page, at most 1000")
	flags.StringVar(&cursor, "cursor", "", "go on at this `CURSOR` of the page before")
	flags.BoolVar(&oldest, "oldest", false, "oldest first")
	flags.BoolVar(&all, "all", false, "every page, not only one")
	flags.BoolVar(&count, "count", false, "say how many entries match in all")
	return cmd
}

// list prints one page, or with all every page. A search for a text hands back pages that are not full, even empty, after so many
// entries: it goes on until there are as many entries as were asked for.
func list(cmd *cobra.Command, s *logSource, q url.Values, asJSON, all bool) error {
	whole := entriesPage{Entries: []*v1.Entry{}}
	out := &entryPrinter{w: cmd.OutOrStdout()}
	searching := newProgress(cmd.ErrOrStderr())
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		return err
	}
	for found := 0; ; {
		p, err := s.entries(cmd.Context(), q)
		searching.clear()
		if err != nil {
			return err
		}
		if found += len(p.Entries); q.Get("text") != "" && !all {
			q.Set("limit", strconv.Itoa(max(limit-found, 1)))
		}
		if asJSON {
			whole.Size, whole.Total, whole.Next, whole.Entries = p.Size, p.Total, p.Next, append(whole.Entries, p.Entries...)
		} else if err := out.lines(p.Entries); err != nil {
			return err
		}
		if p.Next == "" || !all && (q.Get("text") == "" || found >= limit) {
			return listed(cmd, p, whole, asJSON)
		}
		q.Set("cursor", p.Next)
		searching.count(fmt.Sprintf("searching: %d found, at entry %s", found, p.Next))
	}
}

func listed(cmd *cobra.Command, last, whole entriesPage, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), whole)
	}
	if last.Total != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "teapot: %d entries match, the log has %d\n", *last.Total, last.Size)
	}
	if last.Next != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "teapot: there are more: --cursor %s\n", last.Next)
	}
	return nil
}

func newLogTailCmd() *cobra.Command {
	var f logFlags
	var filter filterFlags
	var lines int
	var follow bool
	cmd := &cobra.Command{
		Use:   "tail [URL]",
		Short: "Show the newest entries, and with -f each new one as it is acknowledged",
		Long:  "Shows the newest entries, oldest of them first. With -f it goes on with each new entry as soon as it is acknowledged, and comes back by itself after a lost connection. With --json each entry is one line.",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			s, err := f.openAt(cmd, given)
			if err != nil {
				return err
			}
			return s.done(tail(cmd, s, filter, lines, follow, f.json))
		},
	}
	f.add(cmd)
	cmd.Flags().StringSliceVar(&filter.types, "type", nil, "only entries of this `TYPE`; may be repeated")
	cmd.Flags().IntVarP(&lines, "lines", "n", 10, "so many entries from before")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new entries")
	return cmd
}

func tail(cmd *cobra.Command, s *logSource, filter filterFlags, lines int, follow, asJSON bool) error {
	q := filter.values()
	q.Set("order", "desc")
	q.Set("limit", strconv.Itoa(max(lines, 1)))
	p, err := s.entries(cmd.Context(), q)
	if err != nil {
		return err
	}
	if lines <= 0 {
		p.Entries = nil
	}
	slices.Reverse(p.Entries)
	out := &entryPrinter{w: cmd.OutOrStdout(), json: asJSON}
	if err := out.lines(p.Entries); err != nil || !follow {
		return err
	}
	return s.follow(cmd.Context(), p.Size, func(e *v1.Entry) error {
		if len(filter.types) > 0 && !slices.Contains(filter.types, e.Type) {
			return nil
		}
		return out.lines([]*v1.Entry{e})
	})
}

// follow reads server-sent events from an index on until the context ends, which is no error. An agent that restarts is
// waited for.
func (s *logSource) follow(ctx context.Context, from uint64, each func(*v1.Entry) error) error {
	lost := 0 // attempts since the last answer
	for ; ctx.Err() == nil; pause(ctx) {
		resp, err := s.send(ctx, http.MethodGet, "events", url.Values{"from": {strconv.FormatUint(from, 10)}}, nil)
		if err != nil {
			var answered *refusal
			if lost++; lost > comeBack || errors.As(err, &answered) {
				return quiet(ctx, err)
			}
			continue
		}
		lost = 0
		err = events(resp.Body, func(e *v1.Entry) error {
			from = e.Index + 1
			return each(e)
		})
		resp.Body.Close()
		if err != nil {
			return quiet(ctx, err)
		}
	}
	return nil
}

// comeBack is for how many seconds tail tries to reach an agent again that went away.
const comeBack = 60

func pause(ctx context.Context) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
}

// quiet drops the error that comes of the reader ending the command.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func events(r io.Reader, each func(*v1.Entry) error) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil //nolint:nilerr // the stream ended; the caller comes back
		}
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if !ok {
			continue
		}
		e := new(v1.Entry)
		if err := json.Unmarshal([]byte(data), e); err != nil {
			return fmt.Errorf("an event is not Teapot's: %w", err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
}
