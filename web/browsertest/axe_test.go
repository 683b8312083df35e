//go:build browser

package browsertest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// violation is what axe-core says about one rule.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string `json:"html"`
		FailureSummary string `json:"failureSummary"`
	}
}

// axe runs axe-core in the page, in both colours, and fails on anything of serious or critical impact.
func (b *tab) axe(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.look(desktop, scheme)
		for _, v := range b.violations() {
			if v.Impact != "serious" && v.Impact != "critical" {
				b.t.Logf("%s, %s: axe notes %s (%s): %s", name, scheme, v.ID, v.Impact, v.Help)
				continue
			}
			for _, n := range v.Nodes {
				b.t.Errorf("%s, %s: axe: %s (%s): %s\n  %s\n  %s", name, scheme, v.ID, v.Impact, v.Help, n.HTML, n.FailureSummary)
			}
		}
	}
	b.look(desktop, "light")
}

func (b *tab) violations() []violation {
	b.t.Helper()
	if !eval[bool](b, "typeof axe === 'object'") {
		eval[bool](b, axeSource(b.t)+"\n;true")
	}
	raw := eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	var list []violation
	if err := json.Unmarshal([]byte(raw), &list); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// axeSource reads axe-core as scripts/deps.sh installed it.
func axeSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing, run make deps: %v", err)
	}
	return strings.TrimSpace(string(source))
}
