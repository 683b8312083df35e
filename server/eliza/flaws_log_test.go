package eliza_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// a: where one field ends and the next begins is part of what is signed: no two entries have one encoding.
func TestFlawAFieldsCannotRunIntoEachOther(t *testing.T) {
	f := start(t)
	l := mustAgent(t, f.process, f.life.first.ID()).Log
	entries := []actionlog.Entry{
		{Type: "app/a", Room: "r", User: "u", Source: tlog.SourceCaller, Content: []byte("b|c")},
		{Type: "app/a", Room: "r", User: "u|b", Source: tlog.SourceCaller, Content: []byte("c")},
		{Type: "app/a", Room: "r|u", User: "b", Source: tlog.SourceCaller, Content: []byte("c")},
		{Type: "app/a", Room: "r", User: "u", MediaType: "text/plain", Source: tlog.SourceCaller, Content: []byte("b|c")},
	}
	proofs, err := l.Append(t.Context(), entries...)
	if err != nil {
		t.Fatal(err)
	}
	disclosed := map[string]bool{}
	for _, p := range proofs {
		var leaf tlog.Leaf
		if err := leaf.Decode(p.Leaf); err != nil {
			t.Fatal(err)
		}
		disclosed[string(p.Addendum[32:])+"\x00"+leaf.Content.MediaType] = true // without the salt
	}
	if len(disclosed) != len(entries) {
		t.Errorf("%d entries have %d encodings", len(entries), len(disclosed))
	}
	if _, err := l.Append(t.Context(), actionlog.Entry{Type: "app/a|b", Source: tlog.SourceCaller, Content: []byte("c")}); err == nil {
		t.Error("a separator in a type was taken")
	}
}

// b: one root stands for all entries in their order: what is missing, moved, doubled, made up or cut off has another.
func TestFlawBNothingGoesMissing(t *testing.T) {
	f := start(t)
	for range 3 {
		f.do(t, jsonPost("/"+idMark+"/message", `{"text":"hello"}`))
	}
	var leaves [][]byte
	for _, row := range f.logs(t, `{"pageSize":100}`, true).Logs.Data {
		leaves = append(leaves, row.Leaf)
	}
	note, err := tlog.ParseCheckpoint(mustAgent(t, f.process, f.life.first.ID()).Log.Checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	matches := func(list [][]byte) bool {
		var tree tlog.Tree
		for _, leaf := range list {
			tree.Append(tlog.RecordHash(leaf))
		}
		return tree.Size() == note.Size && tree.Root() == note.Root
	}
	if !matches(leaves) || len(leaves) < 10 {
		t.Fatalf("the %d rows are not the %d entries of the checkpoint", len(leaves), note.Size)
	}
	for what, list := range map[string][][]byte{
		"one deleted": slices.Delete(slices.Clone(leaves), 3, 4), "the tail cut": leaves[:len(leaves)-1], "two swapped": swapped(leaves, 3, 4),
		"one doubled": slices.Insert(slices.Clone(leaves), 4, leaves[3]), "one replaced by a copy": replaced(leaves, 4, leaves[1]),
	} {
		if matches(list) {
			t.Errorf("%s, and the root is the same", what)
		}
	}
}

func swapped(list [][]byte, i, j int) [][]byte {
	list = slices.Clone(list)
	list[i], list[j] = list[j], list[i]
	return list
}

func replaced(list [][]byte, i int, by []byte) [][]byte {
	list = slices.Clone(list)
	list[i] = by
	return list
}

// c: an extraction names its query, its reader's nonce, its result and the log's state, so an old one answers no new question;
// not even an empty one.
func TestFlawCExtractionsAreFresh(t *testing.T) {
	f := start(t)
	head := string(mustAgent(t, f.process, f.life.first.ID()).Log.Checkpoint())
	extract := func(nonce byte, query, result string) *evidence.Evidence {
		document, err := f.process.Extract(t.Context(), bytes.Repeat([]byte{nonce}, 32), query, []byte(result), head)
		if err != nil {
			t.Fatal(err)
		}
		e, err := evidence.ParseEvidence(document)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	seen := map[[64]byte]bool{}
	for _, e := range []*evidence.Evidence{extract(1, "q", ""), extract(2, "q", ""), extract(1, "other", ""), extract(1, "q", "x")} {
		r := evidence.ReportData(e.Statement)
		if seen[r] || !bytes.Contains(e.Quote, r[:]) || !evidence.Tagged(r[:]) {
			t.Errorf("two extractions share report data, or the quote has another: %s", e.Statement)
		}
		seen[r] = true
		x, err := evidence.ParseExtract(e.Statement)
		if err != nil || len(x.Nonce) != 32 || x.Query == "" || x.Checkpoint != head || x.Time == 0 || x.Boot != evidence.Sum(f.process.Evidence().Statement) {
			t.Errorf("the statement lacks something: %v %s", err, e.Statement)
		}
	}
}

// d: what the host writes into the files is not what is answered: a row is read from its frame and compared with the tree.
func TestFlawDTheHostsFilesAreNotBelieved(t *testing.T) {
	f := start(t)
	for range 5 {
		f.do(t, jsonPost("/"+idMark+"/message", `{"text":"the truth, the whole truth and nothing but the truth"}`))
	}
	var truth []string
	for _, row := range f.logs(t, `{"pageSize":100}`, true).Logs.Data {
		truth = append(truth, row.Signature+row.Content)
	}
	if n := scribble(t, f.dir); n == 0 {
		t.Fatal("no file to change")
	}
	_, _, raw := f.do(t, request{"POST", "/tee/logs", "application/json", `{"pageSize":100}`, true})
	var out teeLogs
	if json.Unmarshal(raw, &out) == nil {
		for i, row := range out.Logs.Data {
			if row.Content != "" && !slices.Contains(truth, row.Signature+row.Content) {
				t.Errorf("row %d was made by the host: %+v", i, row)
			}
		}
	}
	l := mustAgent(t, f.process, f.life.first.ID()).Log
	refused := 0
	for i := range l.Size() {
		if _, err := l.Entry(t.Context(), i); err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("changed frames were read as if they were whole")
	}
}

// scribble changes every 512th byte of the log's segments.
func scribble(t *testing.T, dir string) (files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".segment" {
			return err
		}
		data, err := os.ReadFile(path)
		for i := 256; i < len(data); i += 512 {
			data[i] ^= 0x20
		}
		files++
		return errors.Join(err, os.WriteFile(path, data, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// g: the host's clock decides nothing: order is the index, time never falls, and a clock that went back is marked.
func TestFlawGTheHostsClockOrdersNothing(t *testing.T) {
	f := start(t)
	f.do(t, jsonPost("/"+idMark+"/message", `{"text":"first"}`))
	f.skew.Store(-int64(time.Hour))
	f.do(t, jsonPost("/"+idMark+"/message", `{"text":"second"}`))
	rows := f.logs(t, `{"pageSize":100}`, true).Logs.Data
	clamped := false
	for i, row := range rows {
		var leaf tlog.Leaf
		if err := leaf.Decode(row.Leaf); err != nil {
			t.Fatal(err)
		}
		if row.Index != uint64(i) || i > 0 && row.Timestamp < rows[i-1].Timestamp {
			t.Errorf("row %d is entry %d at %d", i, row.Index, row.Timestamp)
		}
		if clamped = clamped || leaf.Clamped; clamped != leaf.Clamped {
			t.Errorf("entry %d does not say that the clock is behind", row.Index)
		}
	}
	if !clamped {
		t.Error("an hour back, and no entry says so")
	}
}
