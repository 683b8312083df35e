package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress draws one line on stderr for long work. It draws nothing for the first half second, and nothing but said
// lines when stderr is not a terminal.
type progress struct {
	w        io.Writer
	terminal bool
	began    time.Time
	drawn    time.Time
	shown    bool
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, terminal: ok && term.IsTerminal(int(f.Fd())), began: time.Now()}
}

// show draws how far a log is.
func (p *progress) show(agent string, done, total uint64) {
	now := time.Now()
	if !p.terminal || total == 0 || now.Sub(p.began) < 500*time.Millisecond || now.Sub(p.drawn) < 100*time.Millisecond && done < total {
		return
	}
	const width = 30
	full := int(done * width / total)
	rate := float64(done) / now.Sub(p.began).Seconds()
	fmt.Fprintf(p.w, "\rverifying %s [%s%s] %d of %d entries, %.0f/s \x1b[K", agent, strings.Repeat("#", full), strings.Repeat(".", width-full), done, total, rate)
	p.drawn, p.shown = now, true
}

// clear removes the line.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

// say prints one line.
func (p *progress) say(format string, args ...any) {
	p.clear()
	fmt.Fprintf(p.w, "teapot: "+format+"\n", args...)
}

// bytes draws how much came of something whose end is unknown.
func (p *progress) bytes(what string, n uint64) {
	p.count(fmt.Sprintf("%s: %.1f MB", what, float64(n)/1e6))
}

// rows draws how many rows were read.
func (p *progress) rows(what string, n int) { p.count(fmt.Sprintf("%s: %d rows", what, n)) }

func (p *progress) count(line string) {
	now := time.Now()
	if !p.terminal || now.Sub(p.began) < 500*time.Millisecond || now.Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	fmt.Fprintf(p.w, "\r%s \x1b[K", line)
	p.drawn, p.shown = now, true
}
