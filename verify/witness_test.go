package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

func witnessKey(i byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{i}, ed25519.SeedSize))
}

func vkey(i byte) string {
	return tlog.Verifier{Name: "witness.example/" + string('a'+rune(i)), Type: tlog.AlgCosignature, Key: witnessKey(i).Public().(ed25519.PublicKey)}.String()
}

// cosigned puts witnesses' lines under the checkpoint of a bundle.
func cosigned(t *testing.T, file []byte, at time.Time, witnesses ...byte) []byte {
	t.Helper()
	list := records(t, file)
	for i, r := range list {
		if r.kind != 5 {
			continue
		}
		c, err := tlog.ParseCheckpoint(r.body)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range witnesses {
			line, err := tlog.Cosign(c.Text(), "witness.example/"+string('a'+rune(w)), witnessKey(w), uint64(at.Unix()))
			if err != nil {
				t.Fatal(err)
			}
			list[i].body = append(bytes.Clone(list[i].body), line...)
		}
	}
	return assemble(list)
}

func TestWitnessesAndWhatTheyExclude(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 1)
	policy := simulated()
	policy.Witnesses = verify.Witnesses{Quorum: 2, Keys: []string{vkey(1), vkey(2), vkey(3)}}
	now := time.Now().Add(2 * time.Second)
	judge := func(file []byte) verify.Result {
		r, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindBundle, Log: bytes.NewReader(file), Verifier: shared}, policy, now)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	file := p.bundle(t, actionlog.Extract{})
	good := judge(cosigned(t, file, now, 1, 3))
	wantMet(t, good)
	for _, id := range []string{"witnesses.quorum", "rollback.witnessed"} {
		if c := good.Find(id); c.Outcome != appraisal.Passed {
			t.Fatalf("%s: %s %s", id, c.Outcome, c.Detail)
		}
	}
	wantFailed(t, judge(file), "witnesses.quorum")
	wantFailed(t, judge(cosigned(t, file, now, 1)), "witnesses.quorum")
	wantFailed(t, judge(cosigned(t, file, now, 1, 1)), "witnesses.quorum")
	wantFailed(t, judge(cosigned(t, file, now.Add(-time.Hour), 1, 2)), "rollback.witnessed")
	none := simulated()
	none.Witnesses.Require = true
	policy = none
	wantFailed(t, judge(file), "witnesses.quorum")
}

// fresh is what the vendor says later: the platform's level has another status.
func fresh(t *testing.T, dir, status string, at time.Time) json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, sim.FileName))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		PKI json.RawMessage `json:"pki"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	authority, err := pki.Load(file.PKI)
	if err != nil {
		t.Fatal(err)
	}
	d, err := authority.Documents(pki.TDX, at)
	if err != nil {
		t.Fatal(err)
	}
	info := authority.TCBInfo(pki.TDX, at.Add(-time.Minute))
	higher := info.Levels[0]
	higher.SGX[0]++
	info.Levels[0].Status = status
	info.Levels = append([]pki.Level{higher}, info.Levels...)
	if err := authority.SignDocuments(&d, info.JSON(), authority.Identity(pki.TDX, at.Add(-time.Minute)).JSON()); err != nil {
		t.Fatal(err)
	}
	return d.JSON()
}

// An earlier start brings collateral that still says UpToDate; the current one brings news about the same platform.
func TestEarlierStartsAreJudgedWithTheNewestCollateral(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir)
	seen := appraise(t, p.look(t), simulated()).Remember
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = begin(t, dir)
	look := func(status string, seen ...verify.Seen) verify.Result {
		in := p.look(t, seen...)
		for _, document := range []*[]byte{&in.Boot, &in.Session} {
			ev, err := evidence.ParseEvidence(*document)
			if err != nil {
				t.Fatal(err)
			}
			ev.Collateral = fresh(t, dir, status, time.Now())
			if *document, err = ev.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
		return appraise(t, in, simulated())
	}
	wantMet(t, look("UpToDate"))
	if c := look("OutOfDate").Find("lineage.tcb"); c.Outcome != appraisal.Warning || c.Remedy == "" {
		t.Fatalf("undated start, out of date today: %s %s", c.Outcome, c.Detail)
	}
	if c := look("OutOfDate", seen...).Find("lineage.tcb"); c.Outcome != appraisal.Passed {
		t.Fatalf("start that was seen while up to date: %s %s", c.Outcome, c.Detail)
	}
	wantFailed(t, look("Revoked", seen...), "lineage.tcb")
}
