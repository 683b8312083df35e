package verify_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// receipts makes the short form and the file form over one message and its reply.
func (p *process) receipts(t *testing.T) (short, file []byte) {
	t.Helper()
	l := p.log(t)
	proofs, err := l.Append(t.Context(),
		actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, Room: "r", User: "u", MediaType: "text/plain", Content: []byte("hello")},
		actionlog.Entry{Type: "reply", Source: tlog.SourceRuntime, Room: "r", MediaType: "text/plain", Content: []byte("how are you?")})
	if err != nil {
		t.Fatal(err)
	}
	recorded := make([]tlog.Recorded, len(proofs))
	for i, proof := range proofs {
		proven, err := l.Prove(proof.Index)
		if err != nil {
			t.Fatal(err)
		}
		recorded[i] = tlog.Recorded{Index: proof.Index, Leaf: proof.Leaf, Path: proven.Path, Addendum: proof.Addendum}
	}
	r, err := tlog.NewReceipt(l.Checkpoint(), recorded...)
	if err != nil {
		t.Fatal(err)
	}
	if short, err = r.Marshal(); err != nil {
		t.Fatal(err)
	}
	for i := range recorded {
		recorded[i].WithContent = true
	}
	if r, err = tlog.NewReceipt(l.Checkpoint(), recorded...); err != nil {
		t.Fatal(err)
	}
	boot, err := l.Prove(0)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := l.Entry(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	r.Boot, r.Evidence = &tlog.ReceiptBoot{Index: 0, Leaf: boot.Leaf, Proof: boot.Path}, entry.Evidence
	if file, err = r.Marshal(); err != nil {
		t.Fatal(err)
	}
	return short, file
}

func receiptInput(document []byte, seen ...verify.Seen) verify.Input {
	return verify.Input{Target: "receipt.json", Kind: verify.KindReceipt, File: document, Seen: seen, Verifier: shared}
}

func TestReceiptInFileFormStandsAlone(t *testing.T) {
	_, file := begin(t, t.TempDir()).receipts(t)
	if kind, err := verify.Recognise(file[:min(len(file), verify.HeadSize)]); err != nil || kind != verify.KindReceipt {
		t.Fatalf("recognised as %q, %v", kind, err)
	}
	wantMet(t, appraise(t, receiptInput(file), simulated()))
	wantFailed(t, appraise(t, receiptInput(file), verify.Policy{}), "hardware.root")
}

func TestShortReceiptRestsOnWhatWasSeenOrSaysWhatIsMissing(t *testing.T) {
	p := begin(t, t.TempDir())
	seen := appraise(t, p.look(t), simulated())
	short, _ := p.receipts(t)
	r := appraise(t, receiptInput(short), simulated())
	if c := r.Find("signature.checkpoint"); r.Exit != 1 || c.Remedy == "" {
		t.Fatalf("exit %d: %s", r.Exit, text(r))
	}
	wantMet(t, appraise(t, receiptInput(short, seen.Remember...), simulated()))
	wantFailed(t, appraise(t, receiptInput(short, seen.Remember...), verify.Policy{}), "hardware.root")
	other, _ := begin(t, t.TempDir()).receipts(t)
	if r := appraise(t, receiptInput(other, seen.Remember...), simulated()); r.Exit == 0 {
		t.Fatal("a receipt of another log rested on the memory of this one")
	}
}

func TestShortReceiptOfAnEarlierStartSaysSo(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, dir)
	short, _ := first.receipts(t)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := begin(t, dir)
	seen := appraise(t, second.look(t), simulated())
	c := appraise(t, receiptInput(short, seen.Remember...), simulated()).Find("signature.checkpoint")
	if c.Outcome != appraisal.NotChecked || !strings.Contains(c.Detail, "in another start") || !strings.Contains(c.Remedy, "/v1/agents/"+eliza+"/receipts/") {
		t.Fatalf("%+v", c)
	}
}

// Each member of a receipt that carries meaning, changed one at a time.
func TestChangedReceiptsAreNoticed(t *testing.T) {
	p := begin(t, t.TempDir())
	_, file := p.receipts(t)
	p.talk(t, 3)
	_, later := p.receipts(t)
	var a, b tlog.Receipt
	if json.Unmarshal(file, &a) != nil || json.Unmarshal(later, &b) != nil {
		t.Fatal("receipts do not parse")
	}
	for name, change := range map[string]func(r *tlog.Receipt){
		"content":    func(r *tlog.Receipt) { r.Entries[1].Content = []byte("send all the money") },
		"user":       func(r *tlog.Receipt) { r.Entries[0].User = "mallory" },
		"index":      func(r *tlog.Receipt) { r.Entries[1].Index++ },
		"leaf":       func(r *tlog.Receipt) { r.Entries[0].Leaf = b.Entries[0].Leaf },
		"proof":      func(r *tlog.Receipt) { r.Shared = b.Shared; r.Entries[0].Proof = b.Entries[0].Proof },
		"checkpoint": func(r *tlog.Receipt) { r.Checkpoint = b.Checkpoint },
		"boot leaf":  func(r *tlog.Receipt) { r.Boot.Leaf = r.Entries[0].Leaf },
		"another's evidence": func(r *tlog.Receipt) {
			_, foreign := begin(t, t.TempDir()).receipts(t)
			var f tlog.Receipt
			if err := json.Unmarshal(foreign, &f); err != nil {
				t.Fatal(err)
			}
			r.Evidence = f.Evidence
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r tlog.Receipt
			if err := json.Unmarshal(file, &r); err != nil {
				t.Fatal(err)
			}
			change(&r)
			document, err := r.Marshal()
			if err != nil {
				return // not even in form
			}
			if v, err := verify.Appraise(receiptInput(document), simulated(), time.Now()); err == nil && v.Err() == nil {
				t.Fatalf("accepted:\n%s", text(v))
			}
		})
	}
	if bytes.Equal(file, later) {
		t.Fatal("the two receipts should differ")
	}
}
