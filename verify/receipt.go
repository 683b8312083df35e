package verify

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// receipt judges a receipt. The file form brings boot leaf and evidence; the short form that comes with a reply does
// not, so only the log's own signature can be checked, with the key this machine remembers.
func (a *appraiser) receipt() error {
	a.offline(false)
	r, err := tlog.ParseReceipt(a.in.File)
	if err != nil {
		return a.malformedReceipt(err)
	}
	c, err := tlog.ParseCheckpoint([]byte(r.Checkpoint))
	if err != nil {
		return a.malformedReceipt(fmt.Errorf("its checkpoint: %w", err))
	}
	w := &receiptWalk{a: a, receipt: r, checkpoint: c}
	if len(r.Evidence) > 0 {
		ev, err := evidence.ParseEvidence(r.Evidence)
		if err != nil {
			return a.malformedReceipt(fmt.Errorf("its evidence: %w", err))
		}
		a.openCurrent(ev)
		if w.part = a.partOfLog(c.Origin); w.part != nil {
			w.agentKey = w.part.AgentKey[:]
			a.subject(w.part.Agent)
		}
	}
	w.keys()
	w.entries()
	w.bootLeaf()
	w.memory()
	w.witnesses()
	w.finish()
	return nil
}

// malformedReceipt judges a receipt that could not be read: one that ends too early is no verdict.
func (a *appraiser) malformedReceipt(err error) error {
	if breaksOff(a.in.File) {
		return fmt.Errorf("the receipt ends in the middle; it was not received or written completely: %w", err)
	}
	a.add(appraisal.Check{ID: "entries.form", Outcome: appraisal.Failed, Detail: "the receipt is malformed: " + err.Error(), Source: "docs/formats/receipt.md", Fault: "host", Remedy: remedyReceipt})
	return nil
}

type receiptWalk struct {
	a          *appraiser
	receipt    *tlog.Receipt
	checkpoint *tlog.SignedCheckpoint
	part       *evidence.AgentPart // nil: the short form, or evidence of another log
	agentKey   ed25519.PublicKey   // of the attested or remembered start; nil: unknown
	verified   uint64
}

func (w *receiptWalk) fail(id, detail, fault, remedy string) {
	w.a.add(appraisal.Check{ID: id, Outcome: appraisal.Failed, Detail: detail, Source: "the receipt", Fault: fault, Remedy: remedy})
}

const remedyReceipt = "this receipt proves nothing: ask for it again; keep this one if the server gave it to you"

// keys checks the checkpoint's two signatures with the attested keys, or with the remembered log key.
func (w *receiptWalk) keys() {
	if w.part != nil {
		if w.checkpoint.SignedByLog(ed25519.PublicKey(w.part.Log.Key[:])) != tlog.SigGood {
			w.fail("signature.checkpoint", "the checkpoint is not signed by the attested log key", "host", remedyReceipt)
			return
		}
		if w.checkpoint.SignedByBoot(ed25519.PublicKey(w.a.current.boot.BootKey[:])) != tlog.SigGood {
			w.fail("signature.boot", "the checkpoint is not signed by the boot key of this start", "host", remedyReceipt)
			return
		}
		w.a.pass("signature.checkpoint", "log key and boot key of the attested start signed the checkpoint", w.checkpoint.Origin, "the boot statement")
		return
	}
	if w.a.current != nil {
		w.fail("keys.agent", "the receipt's evidence does not name the log that its checkpoint is of", "host", remedyReceipt)
		return
	}
	if w.byMemory() {
		return
	}
	c := appraisal.Check{
		ID: "signature.checkpoint", Detail: "the short form of a receipt brings no evidence, and this machine has not verified this log: its key is unknown",
		Remedy: "save the receipt's file form (its URL is in the header Teapot-Receipt), or verify the server first: teapot verify URL",
	}
	if s := w.ofAnotherStart(); s != nil {
		c.Detail = "the log key that this machine verified signed the checkpoint, but in another start than the one it remembers, and the short form of a receipt brings no evidence of that start"
		c.Remedy = fmt.Sprintf("get the receipt's file form, which brings it: GET /v1/agents/%s/receipts/%d", Clean(s.Agent), w.receipt.Entries[len(w.receipt.Entries)-1].Index)
	}
	w.a.add(c)
}

// entries checks leaf, place, signature and what is disclosed of each entry.
func (w *receiptWalk) entries() {
	shown := 0
	for i := range w.receipt.Entries {
		e := &w.receipt.Entries[i]
		if !w.entry(i, e) {
			return
		}
		if e.Content != nil {
			shown++
		}
		w.verified++
	}
	n := len(w.receipt.Entries)
	w.a.pass("entries.included", fmt.Sprintf("%d entries stand in the log at the places the receipt says", n), fmt.Sprintf("size %d", w.checkpoint.Size), "inclusion proofs under the checkpoint")
	if shown > 0 {
		w.a.pass("entries.content", fmt.Sprintf("the %d texts are those that their entries commit to", shown), "", "the commitments in the entries")
	}
	if w.agentKey == nil {
		w.a.notChecked("entries.signed", "the agent key is not in the short form")
		return
	}
	w.a.pass("entries.signed", fmt.Sprintf("%d entries are signed by the agent key of the attested start", n), hex.EncodeToString(w.agentKey), "the boot statement")
}

func (w *receiptWalk) entry(i int, e *tlog.ReceiptEntry) bool {
	at := fmt.Sprintf("entry %d: ", e.Index)
	leaf, err := tlog.DecodeLeaf(e.Leaf)
	switch {
	case err != nil:
		w.fail("entries.form", at+err.Error(), "host", remedyReceipt)
		return false
	case leaf.Origin != w.checkpoint.Origin || leaf.Index != e.Index:
		w.fail("entries.origin", at+"the leaf is of another log or place", "host", remedyReceipt)
		return false
	case w.agentKey != nil && !leaf.Verify(w.agentKey):
		w.fail("entries.signed", at+"not signed by the agent key of the attested start", "host", remedyReceipt)
		return false
	}
	if err := tlog.VerifyInclusion(tlog.RecordHash(e.Leaf), e.Index, w.checkpoint.Size, w.receipt.Path(i), w.checkpoint.Root); err != nil {
		w.fail("entries.included", at+err.Error(), "host", remedyReceipt)
		return false
	}
	if e.Content == nil {
		return true
	}
	addendum, err := e.Addendum(e.Content)
	if err == nil {
		_, err = tlog.OpenAddendum(leaf.Content, addendum)
	}
	if err != nil {
		w.fail("entries.content", at+err.Error(), "host", "the text in this receipt is not what was recorded: do not rely on it")
		return false
	}
	return true
}

// bootLeaf checks that the attested start stands in the log before the entries.
func (w *receiptWalk) bootLeaf() {
	if w.receipt.Boot == nil || w.part == nil {
		return
	}
	b := w.receipt.Boot
	leaf, err := tlog.DecodeLeaf(b.Leaf)
	if err == nil {
		err = tlog.VerifyInclusion(tlog.RecordHash(b.Leaf), b.Index, w.checkpoint.Size, b.Proof, w.checkpoint.Root)
	}
	switch {
	case err != nil:
		w.fail("lineage.starts", "the boot leaf: "+err.Error(), "host", remedyReceipt)
	case leaf.Start == nil || leaf.Index != b.Index || leaf.Origin != w.checkpoint.Origin || !leaf.Verify(ed25519.PublicKey(w.part.AgentKey[:])):
		w.fail("lineage.starts", "the boot leaf is none, or of another log, or not signed by this start", "host", remedyReceipt)
	case evidence.Digest(leaf.Start.Statement) != w.a.current.evidence.ID() || leaf.Index != w.part.Found.Size ||
		evidence.Digest(leaf.Start.Root) != w.part.Found.Root || leaf.Start.BootKey != [32]byte(w.a.current.boot.BootKey):
		w.fail("lineage.starts", "the boot leaf and the attested boot statement disagree", "host", remedyReceipt)
	case w.receipt.Entries[0].Index <= b.Index || !w.allOfStart(leaf.Boot):
		w.fail("lineage.starts", "an entry is of another start than the one that is said to have signed it", "host", remedyReceipt)
	default:
		w.a.pass("lineage.starts", "the attested start opens with its boot leaf, before these entries", fmt.Sprintf("index %d", b.Index), "inclusion proof under the checkpoint")
	}
}

// allOfStart says whether every entry carries the number of this start.
func (w *receiptWalk) allOfStart(number uint64) bool {
	return !slices.ContainsFunc(w.receipt.Entries, func(e tlog.ReceiptEntry) bool {
		leaf, err := tlog.DecodeLeaf(e.Leaf)
		return err != nil || leaf.Boot != number
	})
}

// witnesses judges the cosignatures that the reader's policy wants. A receipt is made at once, often before any witness has
// signed its checkpoint, so what only the agent's own policy names is not demanded of it.
func (w *receiptWalk) witnesses() {
	if p := w.a.policy; p.Witnesses.Quorum > 0 || p.Witnesses.Require || p.MaxAge.Checkpoint > 0 {
		w.a.witnesses(w.checkpoint, "")
		return
	}
	w.a.mayMiss = append(w.a.mayMiss, "witnesses.quorum")
}

func (w *receiptWalk) finish() {
	if w.part == nil {
		return
	}
	r := agentResult(w.part)
	r.Size, r.Root, r.Verified, r.Scope = w.checkpoint.Size, rootText(w.checkpoint.Root), w.verified, "receipt"
	w.a.result.Agents = append(w.a.result.Agents, r)
}

// ReceiptOrigin is the log that a receipt says it is of; empty when it cannot be read. Nothing is verified.
func ReceiptOrigin(document []byte) string {
	r, err := tlog.ParseReceipt(document)
	if err != nil {
		return ""
	}
	c, err := tlog.ParseCheckpoint([]byte(r.Checkpoint))
	if err != nil {
		return ""
	}
	return c.Origin
}
