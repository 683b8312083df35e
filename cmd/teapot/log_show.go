package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/actionlog"
	v1 "github.com/teapot-tee/teapot/server/v1"
	"github.com/teapot-tee/teapot/tlog"
)

func newLogShowCmd() *cobra.Command {
	var f logFlags
	cmd := &cobra.Command{
		Use:   "show [URL] INDEX",
		Short: "Show one entry with its proof, what led to it and what came of it",
		Args:  args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, given []string) error {
			given, err := f.at(cmd, given)
			if err != nil {
				return err
			}
			if len(given) != 1 {
				return &exitError{code: 64, err: errors.New("say which entry: one index"), hint: "teapot log list shows them"}
			}
			index, err := entryIndex(given[0])
			if err != nil {
				return err
			}
			s, err := f.open(cmd)
			if err != nil {
				return err
			}
			return s.done(show(cmd, s, index, f.json))
		},
	}
	f.add(cmd)
	return cmd
}

// shownEntry is what show prints as JSON.
type shownEntry struct {
	*v1.Entry
	ProofHolds bool        `json:"proof_holds"`
	Causes     []*v1.Entry `json:"causes"`
	Effects    []*v1.Entry `json:"effects"`
}

func show(cmd *cobra.Command, s *logSource, index uint64, asJSON bool) error {
	path := "entries/" + strconv.FormatUint(index, 10)
	shown := shownEntry{Entry: new(v1.Entry)}
	if err := s.get(cmd.Context(), path, nil, shown.Entry); err != nil {
		return err
	}
	size, err := proofHolds(shown.Entry)
	shown.ProofHolds = err == nil
	for name, into := range map[string]*[]*v1.Entry{"causes": &shown.Causes, "effects": &shown.Effects} {
		var p entriesPage
		if err := s.get(cmd.Context(), path+"/"+name, nil, &p); err != nil {
			return err
		}
		*into = p.Entries
	}
	if asJSON {
		if e := printJSON(cmd.OutOrStdout(), shown); e != nil {
			return e
		}
	} else {
		printEntry(foreign{cmd.OutOrStdout()}, &shown, size)
	}
	if err != nil {
		return &exitError{code: 1, err: fmt.Errorf("the proof of entry %d does not hold: %w", index, err), hint: "the server shows something that is not in its log; teapot verify says more"}
	}
	return nil
}

// proofHolds follows the proof from the leaf to the checkpoint's root. Whose signature the checkpoint carries is for teapot
// verify.
func proofHolds(e *v1.Entry) (size uint64, err error) {
	c, err := tlog.ParseCheckpoint([]byte(e.Note))
	if err != nil {
		return 0, err
	}
	leaf, err := tlog.DecodeLeaf(e.Leaf)
	if err != nil {
		return 0, err
	}
	if e.Proof == nil || leaf.Index != e.Index || leaf.Type != e.Type || leaf.Time != e.Time || leaf.Origin != c.Origin {
		return 0, errors.New("the leaf is not that of this entry and log")
	}
	if e.Content != nil && e.Content.Addendum != nil {
		if _, err := tlog.OpenAddendum(leaf.Content, e.Content.Addendum); err != nil {
			return 0, err
		}
	}
	return c.Size, tlog.VerifyInclusion(tlog.RecordHash(e.Leaf), e.Index, c.Size, *e.Proof, c.Root)
}

func newLogStatsCmd() *cobra.Command {
	var f logFlags
	cmd := &cobra.Command{
		Use:   "stats [URL]",
		Short: "Figures of the log: entries by type, starts, erasures, size on disk",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			s, err := f.openAt(cmd, given)
			if err != nil {
				return err
			}
			var st actionlog.Stats
			err = s.get(cmd.Context(), "stats", nil, &st)
			if err == nil && f.json {
				err = printJSON(cmd.OutOrStdout(), st)
			} else if err == nil {
				printStats(foreign{cmd.OutOrStdout()}, &st)
			}
			return s.done(err)
		},
	}
	f.add(cmd)
	return cmd
}
