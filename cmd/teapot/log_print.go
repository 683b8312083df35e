package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/teapot-tee/teapot/actionlog"
	v1 "github.com/teapot-tee/teapot/server/v1"
)

// entryPrinter prints entries, one line each.
type entryPrinter struct {
	w    io.Writer
	json bool // one JSON object a line
}

func (p *entryPrinter) lines(entries []*v1.Entry) error {
	for _, e := range entries {
		if p.json {
			enc := json.NewEncoder(p.w)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(e); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(foreign{p.w}, "%8d  %s  %-12s %-8s %s\n", e.Index, entryTime(e.Time), e.Type, e.Source, summary(e)); err != nil {
			return err
		}
	}
	return nil
}

func entryTime(micros uint64) string {
	return time.UnixMicro(int64(micros)).UTC().Format("2006-01-02T15:04:05.000Z")
}

// summary is the content on one line, or what became of it.
func summary(e *v1.Entry) string {
	var text string
	switch {
	case e.Erasure != nil:
		text = fmt.Sprintf("erased %d entries for %s: %s", len(e.Erasure.Targets), e.Erasure.Requester, e.Erasure.Reason)
	case e.Type == "boot":
		text = fmt.Sprintf("start %d", e.Start)
	case e.Content == nil:
		text = "-"
	case e.Content.Text != nil:
		text = *e.Content.Text
	case e.Content.Status != "disclosed":
		text = "(" + e.Content.Status + ")"
	default:
		text = fmt.Sprintf("(%d bytes of %s)", len(e.Content.Data), e.Content.MediaType)
	}
	line := []rune(plain(text))
	if len(line) > 100 {
		line = append(line[:99], '…')
	}
	return string(line)
}

// plain takes away what could steer a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s)
}

func printEntry(w io.Writer, s *shownEntry, size uint64) {
	e := s.Entry
	row := func(name, format string, a ...any) { fmt.Fprintf(w, "%-12s %s\n", name, fmt.Sprintf(format, a...)) }
	row("entry", "%d of type %s, number %d of its type", e.Index, e.Type, e.KSeq)
	row("time", "%s (the host's clock%s)", entryTime(e.Time), map[bool]string{true: ", which was behind"}[e.Clamped])
	row("start", "%d", e.Start)
	row("source", "%s; speaker: %s", e.Source, e.Speaker)
	for name, v := range map[string]string{"room": e.RoomName, "user": e.UserName} {
		if v != "" {
			row(name, "%s", v)
		}
	}
	row("leaf hash", "%s", e.Hash)
	if s.ProofHolds {
		row("proof", "leads to the checkpoint of size %d (whose signatures teapot verify judges)", size)
	} else {
		row("proof", "DOES NOT HOLD")
	}
	printContent(w, e)
	printWalk(w, "led to it", s.Causes)
	printWalk(w, "came of it", s.Effects)
}

func printContent(w io.Writer, e *v1.Entry) {
	if e.Erasure != nil {
		fmt.Fprintf(w, "%-12s for %s: %s\n", "erasure", e.Erasure.Requester, plain(e.Erasure.Reason))
		for _, t := range e.Erasure.Targets {
			fmt.Fprintf(w, "%-12s %d (%s)\n", "  erased", t.Index, t.Type)
		}
	}
	c := e.Content
	if c == nil {
		return
	}
	status := c.Status
	if c.ErasedBy != nil {
		status += fmt.Sprintf(" by entry %d", *c.ErasedBy)
	}
	fmt.Fprintf(w, "%-12s %s, %s, %s\n", "content", status, c.MediaType, c.Visibility)
	for _, id := range [][2]string{{"  real room", c.Room}, {"  real user", c.User}} {
		if id[1] != "" {
			fmt.Fprintf(w, "%-12s %s\n", id[0], plain(id[1]))
		}
	}
	if c.Text != nil {
		for line := range strings.Lines(*c.Text) {
			fmt.Fprintf(w, "    %s\n", plain(strings.TrimRight(line, "\r\n")))
		}
	}
}

func printWalk(w io.Writer, name string, entries []*v1.Entry) {
	for _, e := range entries {
		fmt.Fprintf(w, "%-12s %d %s: %s\n", name, e.Index, e.Type, summary(e))
	}
}

func printStats(w io.Writer, s *actionlog.Stats) {
	fmt.Fprintf(w, "origin    %s\nentries   %d, root %s\nnewest    %s\nstarts    %d\nerased    %d contents\non disk   %d bytes in %d segments, %.0f an entry\nindexed   %d entries\n",
		s.Origin, s.Size, s.Root, entryTime(s.Time), s.Starts, s.Erased, s.Bytes, s.Segments, s.PerEntry, s.Indexed)
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		fmt.Fprintf(w, "  %-20s %d\n", name, s.Types[name])
	}
}
