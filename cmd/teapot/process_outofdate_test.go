package main_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/internal/between"
)

// raised is collateral of the simulator's vendor after it raised the bar: the platform's level is OutOfDate (or Revoked).
func raised(t *testing.T, data, status string) json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, sim.FileName))
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
	d, err := authority.Documents(pki.TDX, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	info := authority.TCBInfo(pki.TDX, time.Now().Add(-time.Minute))
	info.Evaluation++
	higher := info.Levels[0]
	higher.SGX[0]++
	info.Levels[0].Status, info.Levels[0].Advisories = status, []string{"INTEL-SA-01234"}
	info.Levels = append([]pki.Level{higher}, info.Levels...)
	if err := authority.SignDocuments(&d, info.JSON(), authority.Identity(pki.TDX, time.Now().Add(-time.Minute)).JSON()); err != nil {
		t.Fatal(err)
	}
	return d.JSON()
}

// withCollateral puts other collateral into the evidence that a server sends.
func withCollateral(t *testing.T, upstream string, collateral json.RawMessage) string {
	return lying(t, upstream, func(resp *http.Response) error {
		if path := resp.Request.URL.Path; !strings.HasPrefix(path, "/v1/evidence") && path != "/v1/session" {
			return nil
		}
		ev, err := evidence.ParseEvidence(between.Answered(resp))
		if err != nil {
			return err
		}
		ev.Collateral = collateral
		document, err := ev.Marshal()
		if err != nil {
			return err
		}
		between.Replace(resp, document)
		return nil
	})
}

func TestOutOfDatePlatformIsAWarningWithARemedy(t *testing.T) {
	data := t.TempDir()
	s := launch(t, data)
	s.say(t, 1)
	v := (reader{t.TempDir()}).verify(t, withCollateral(t, s.url, raised(t, data, "OutOfDate")), "--allow-simulated")
	if v.exit != 1 || v.Tier != "warning" || v.outcome("tcb.status") != "warning" {
		t.Fatalf("%+v", v)
	}
	for _, c := range v.Checks {
		if c.ID == "tcb.status" && (c.Remedy == "" || c.Fault == "" || !strings.Contains(c.Detail, "OutOfDate")) {
			t.Errorf("%+v", c)
		}
	}
	policy := filepath.Join(t.TempDir(), "old.toml")
	if err := os.WriteFile(policy, []byte("accept_status = [\"OutOfDate\"]\nsimulated = \"allow\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v := (reader{t.TempDir()}).verify(t, withCollateral(t, s.url, raised(t, data, "OutOfDate")), "--policy", policy); v.exit != 0 {
		t.Fatalf("the policy accepts OutOfDate: %+v", v)
	}
	if v := (reader{t.TempDir()}).verify(t, withCollateral(t, s.url, raised(t, data, "Revoked")), "--policy", policy); v.exit != 1 || v.Tier != "contraindicated" {
		t.Fatalf("a revoked platform: %+v", v)
	}
}
