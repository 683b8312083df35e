package tlog_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// TestCompletenessIsNeverClaimedWrongly draws logs, windows and answers that leave entries out. If the audit passes, every entry of
// the window must be there; if everything the format asks for is there, it must pass.
func TestCompletenessIsNeverClaimedWrongly(t *testing.T) {
	passed, failedOnes := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		l := drawLog(t, r)
		leaves := decoded(t, l)
		o := options(l)
		o.Kinds, o.Window, o.Workers = &l.Kinds, drawWindow(r, leaves), 1
		here := map[uint64]bool{}
		for _, x := range leaves {
			here[x.Index] = rapid.Bool().Draw(r, "here") || x.Type == tlog.TypeBoot && rapid.IntRange(0, 9).Draw(r, "boot") > 0
		}
		if rapid.Bool().Draw(r, "as asked") {
			for _, i := range asked(leaves, o.Window) {
				here[i] = true
			}
		}
		if rapid.IntRange(0, 9).Draw(r, "last") > 0 {
			here[uint64(len(leaves)-1)] = true
		}
		report := audit(t, o, keep(t, l, func(x *tlog.Leaf) bool { return here[x.Index] }), l.Checkpoint())
		if report.OK() {
			passed++
			for _, x := range leaves {
				if !here[x.Index] && (x.Type == tlog.TypeBoot || inWindow(x, o.Window)) {
					r.Fatalf("entry %d (%s) is missing and the audit passes", x.Index, x.Type)
				}
			}
			return
		}
		failedOnes++
		boots := !slices.ContainsFunc(leaves, func(x *tlog.Leaf) bool { return x.Type == tlog.TypeBoot && !here[x.Index] })
		if got := failed(report); boots && got != "entries.complete" && got != "entries.start entries.complete" {
			r.Fatalf("leaving out entries is no other fault than incompleteness: %s", got)
		}
		if slices.IndexFunc(asked(leaves, o.Window), func(i uint64) bool { return !here[i] }) < 0 {
			r.Fatalf("everything asked for is here, and the audit fails: %s", failed(report))
		}
	})
	if passed == 0 || failedOnes == 0 {
		t.Errorf("%d passed, %d failed: the draw is one-sided", passed, failedOnes)
	}
}

func drawLog(t *testing.T, r *rapid.T) *tlogtest.Log {
	l := tlogtest.New(t)
	l.Boot()
	for range rapid.IntRange(1, 24).Draw(r, "entries") {
		if rapid.IntRange(0, 3).Draw(r, "same time") == 0 {
			l.Time -= 1000
		}
		if rapid.IntRange(0, 7).Draw(r, "boot") == 0 {
			l.Boot()
			continue
		}
		l.Say(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "type"), "x")
	}
	return l
}

func decoded(t *testing.T, l *tlogtest.Log) (leaves []*tlog.Leaf) {
	t.Helper()
	for _, raw := range l.Leaves {
		x, err := tlog.DecodeLeaf(raw)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, x)
	}
	return leaves
}

func drawWindow(r *rapid.T, leaves []*tlog.Leaf) (w tlog.Window) {
	at := func(what string) int { return rapid.IntRange(0, len(leaves)-1).Draw(r, what) }
	switch rapid.IntRange(0, 3).Draw(r, "bounds") {
	case 0:
	case 1:
		w.From = uint64(at("from"))
		w.To = w.From + uint64(rapid.IntRange(0, 8).Draw(r, "length"))
	case 2:
		w.Since = leaves[at("since")].Time
		w.Until = w.Since + 1000*uint64(rapid.IntRange(0, 8).Draw(r, "duration"))
	default:
		w.From, w.Since = uint64(at("from")), leaves[at("since")].Time
	}
	if rapid.Bool().Draw(r, "typed") {
		w.Types = rapid.SampledFrom([][]string{{"a"}, {"a", "b"}, {"never"}, {tlog.TypeBoot}}).Draw(r, "types")
	}
	return w
}

func inRange(x *tlog.Leaf, w tlog.Window) bool {
	return x.Index >= w.From && (w.To == 0 || x.Index < w.To) && x.Time >= w.Since && (w.Until == 0 || x.Time < w.Until)
}

func inWindow(x *tlog.Leaf, w tlog.Window) bool {
	return inRange(x, w) && (len(w.Types) == 0 || slices.Contains(w.Types, x.Type))
}

// asked is what docs/formats/bundle.md asks of an answer: boot leaves, the last entry, the window, and the neighbours that show
// where it ends, for each type on its own if types were asked for.
func asked(leaves []*tlog.Leaf, w tlog.Window) []uint64 {
	out := []uint64{uint64(len(leaves) - 1)}
	series := [][]*tlog.Leaf{leaves}
	if len(w.Types) > 0 {
		series = nil
		for _, name := range w.Types {
			series = append(series, slices.DeleteFunc(slices.Clone(leaves), func(x *tlog.Leaf) bool { return x.Type != name }))
		}
	}
	for _, list := range series {
		first := slices.IndexFunc(list, func(x *tlog.Leaf) bool { return x.Index >= w.From && x.Time >= w.Since })
		if first < 0 {
			first = len(list)
		}
		end := first
		for end < len(list) && inRange(list[end], w) {
			end++
		}
		for _, x := range list[max(first-1, 0):min(end+1, len(list))] {
			out = append(out, x.Index)
		}
	}
	for _, x := range leaves {
		if x.Type == tlog.TypeBoot {
			out = append(out, x.Index)
		}
	}
	return out
}
