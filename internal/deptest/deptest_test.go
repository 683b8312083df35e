// Package deptest enforces the direction of imports (docs/decisions/0001-rooms-and-seams.md). It has only tests.
package deptest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/teapot-tee/teapot/"

// may lists which of our rooms a room may import: every room is here, in the order of the page, with each room it imports or a
// subtree ("agent/..."). "..." alone is a room that wires others: checkUpward is all that holds it. A room that is not here may
// import nothing of ours: add it here and to the page, with thought.
var may = map[string][]string{
	"appraisal": {},
	"dcap":      {"appraisal"},
	"dcap/pcs":  {"dcap", "internal/filelock"},
	"eventlog":  {"appraisal", "internal/plainyaml", "internal/strictjson"},
	"evidence":  {"internal/strictjson"},
	"tlog":      {"appraisal"}, // the auditor speaks in checks
	"bundle":    {"tlog"},
	"verify":    {"appraisal", "dcap", "eventlog", "evidence", "tlog", "bundle"},
	"client":    {"evidence", "internal/filelock", "ratls", "tlog", "verify"},
	"ratls":     {"evidence", "verify"},

	"tlog/tlogtest":         {"tlog"},
	"verify/internal/judge": {"verify"},
	"verify/policyfile":     {"internal/stricttoml", "verify"},

	"keys":           {},
	"keys/dstackkey": {"evidence", "keys"},
	"keys/wallets":   {"attest", "evidence", "keys", "keys/dstackkey"},

	"attest":               {"evidence"},
	"attest/detect":        {"appraisal", "attest", "attest/dstack", "attest/gramine", "attest/sim", "attest/tsm", "dcap", "evidence"},
	"attest/dstack":        {"attest", "evidence", "eventlog", "keys/dstackkey"},
	"attest/gramine":       {"attest", "evidence"},
	"attest/tsm":           {"attest", "evidence", "eventlog"},
	"attest/sim":           {"attest", "attest/sim/pki", "eventlog", "evidence", "keys/dstackkey"},
	"attest/sim/devattest": {"attest/sim/pki"},
	"attest/sim/pki":       {},
	"guestapi":             {"attest", "evidence", "eventlog", "keys/dstackkey"},

	"actionlog":               {"actionlog/disk", "actionlog/index", "actionlog/segment", "bundle", "tlog"},
	"actionlog/disk":          {"internal/filelock"},
	"actionlog/disk/disktest": {"actionlog/disk"},
	"actionlog/index":         {"actionlog/disk"},
	"actionlog/legacy":        {},
	"actionlog/logbench":      {"actionlog", "bundle", "tlog"},
	"actionlog/segment":       {"actionlog/disk"},

	"agent":                 {"actionlog", "agent/...", "evidence", "keys/wallets", "tlog"},
	"agent/agenttest":       {"actionlog", "agent/...", "keys/wallets", "tlog"},
	"agent/agenttest/fixed": {"agent/wallet/evmtx", "keys", "keys/wallets"},
	"agent/bootstrap":       {"agent/plugin", "agent/prompt"},
	"agent/chains":          {"agent/model/wire", "agent/plugin", "agent/wallet/...", "keys/wallets"},
	"agent/character":       {"agent/json5", "agent/uuid"},
	"agent/dice":            {"agent/plugin"},
	"agent/embed":           {"agent/model"},
	"agent/json5":           {},
	"agent/knowledge":       {"agent/character"},
	"agent/mcp":             {"agent/plugin"},
	"agent/memory":          {"actionlog", "agent/embed", "agent/plugin", "agent/record", "tlog"},
	"agent/model":           {},
	"agent/model/anthropic": {"agent/model", "agent/model/wire"},
	"agent/model/offline":   {"agent/json5", "agent/model"},
	"agent/model/ollama":    {"agent/model", "agent/model/wire"},
	"agent/model/openai":    {"agent/model", "agent/model/wire", "keys"},
	"agent/model/providers": {"agent/character", "agent/embed", "agent/json5", "agent/model/..."},
	"agent/model/wire":      {"agent/model"},
	"agent/plugin":          {},
	"agent/plugins":         {"agent/character", "agent/dice", "agent/json5", "agent/mcp", "agent/plugin", "agent/twitter"},
	"agent/prompt":          {"agent/json5"},
	"agent/record":          {"actionlog", "tlog"},
	"agent/spend":           {"evidence"},
	"agent/tee":             {"agent/plugin", "evidence"},
	"agent/twitter":         {"agent/plugin", "agent/prompt"},
	"agent/uuid":            {},
	"agent/wallet":          {},
	"agent/wallet/evmtx":    {"keys"},
	"agent/wallet/solanatx": {},

	"boot":          {"actionlog", "attest", "evidence", "keys", "keys/wallets", "tlog"},
	"boot/envelope": {"boot/operator"},
	"boot/measured": {"evidence", "guestapi", "internal/stricttoml"},
	"boot/operator": {"evidence", "internal/strictjson"},
	"boot/sgx":      {"attest", "attest/gramine", "boot/envelope", "boot/operator", "deploy/gramine", "evidence"},

	"server":            {"..."},
	"server/access":     {},
	"server/eliza":      {"..."},
	"server/express":    {},
	"server/limit":      {},
	"server/problem":    {},
	"server/proxyproto": {},
	"server/tee":        {"actionlog", "agent/memory", "agent/record", "agent/uuid", "attest", "boot", "evidence", "ratls", "server/access", "server/express", "tlog"},
	"server/v1":         {"actionlog", "server/access", "server/limit", "server/problem", "tlog"},
	"server/wallet":     {"actionlog", "evidence", "keys/wallets", "server/access", "server/problem", "tlog"},

	"deploy":            {},
	"deploy/appcompose": {},
	"deploy/cloud":      {"dcap", "deploy/appcompose", "deploy/sealedenv", "eventlog", "evidence"},
	"deploy/gramine":    {},
	"deploy/sealedenv":  {},

	"web":               {},
	"web/internal/pack": {},
	"web/page":          {"appraisal", "bundle", "dcap", "eventlog", "evidence", "tlog", "verify"},
	"cmd/teapot":        {"..."},
	"cmd/teapot-wasm":   {"web/page"},

	"internal/between":    {"bundle"},
	"internal/clockvm":    {},
	"internal/demo":       {"internal/between"},
	"internal/deptest":    {},
	"internal/filelock":   {},
	"internal/need":       {},
	"internal/plainyaml":  {},
	"internal/strictjson": {},
	"internal/stricttoml": {},
	"internal/testcount":  {},
}

// pure rooms run in the reader's browser: no I/O, no clock, small.
var pure = []string{"appraisal", "dcap", "eventlog", "evidence", "tlog", "bundle", "verify", "internal/plainyaml", "internal/strictjson", "web/page"}

// forbidden maps an import to the reason why pure rooms must not have it.
var forbidden = map[string]string{
	"os":                "pure rooms do no I/O",
	"os/exec":           "pure rooms do no I/O",
	"net":               "pure rooms do no I/O",
	"net/http":          "pure rooms do no I/O, and it adds 0.8 MB to the page's WASM",
	"syscall":           "pure rooms do no I/O",
	"text/template":     "its reflection stops the linker from pruning methods",
	"regexp":            "it adds 60 kB to the page's WASM",
	"go.yaml.in/yaml":   "it adds 240 kB to the page's WASM: internal/plainyaml",
	"html/template":     "its reflection stops the linker from pruning methods",
	"math/rand":         "a verifier has nothing to guess",
	"github.com/decred": "secp256k1 does not belong in the page's WASM",
}

// neverUpward: rooms below must not import rooms above.
var neverUpward = map[string]string{
	"cmd/":     "commands are wired last",
	"server":   "HTTP is above everything but the commands",
	"web":      "pages are above everything but the commands",
	"agent":    "only server, boot and commands know the agent",
	"boot":     "only server and commands start a process",
	"client":   "only commands and servers call other Teapots",
	"deploy":   "only commands deploy",
	"ratls":    "only server, client and commands speak TLS",
	"dcap/pcs": "only server and commands talk to Intel",
}

var above = []string{"cmd/", "server", "web", "boot", "client", "deploy", "ratls", "agent"}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Doc        string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Doc,GoFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func TestRoomsImportDownwards(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		allowed, listed := may[room]
		if !listed {
			t.Errorf("%s is in no table of this test: add it here and to docs/decisions/0001-rooms-and-seams.md", room)
		}
		for _, imp := range p.Imports {
			ours, ok := strings.CutPrefix(imp, module)
			if !ok {
				continue
			}
			if listed && !allows(allowed, ours) {
				t.Errorf("%s imports %s: its table in this test does not allow it", room, ours)
			}
			checkUpward(t, room, ours)
		}
	}
}

func allows(allowed []string, imported string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		tree, whole := strings.CutSuffix(a, "...")
		return a == imported || whole && in(imported, tree)
	})
}

func checkUpward(t *testing.T, room, imported string) {
	t.Helper()
	for high, why := range neverUpward {
		if !in(imported, high) || isAbove(room) || in(room, high) {
			continue
		}
		t.Errorf("%s imports %s: %s", room, imported, why)
	}
}

func isAbove(room string) bool {
	return slices.ContainsFunc(above, func(high string) bool { return in(room, high) })
}

func in(room, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return prefix == "" || room == prefix || strings.HasPrefix(room, prefix+"/")
}

// Rooms that play the bad disk, the liar or the whole log never come with the product.
func TestRoomsForTestsAreNotInTheBinary(t *testing.T) {
	imports := map[string][]string{}
	for _, p := range packages(t) {
		imports[p.ImportPath] = p.Imports
	}
	seen, next := map[string]bool{}, []string{module + "cmd/teapot"}
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		next = append(next, imports[path]...)
	}
	for _, room := range []string{"actionlog/disk/disktest", "agent/agenttest", "agent/agenttest/fixed", "internal/between", "internal/need", "tlog/tlogtest"} {
		if _, there := imports[module+room]; !there || seen[module+room] {
			t.Errorf("%s is gone, or in the binary", room)
		}
	}
}

func TestPureRoomsDoNoIO(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(pure, strings.TrimPrefix(p.ImportPath, module)) {
			continue
		}
		for _, imp := range p.Imports {
			for bad, why := range forbidden {
				if imp == bad || strings.HasPrefix(imp, bad+"/") && strings.Contains(bad, ".") {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, why)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestNoRoomIsNamedForNothing(t *testing.T) {
	for _, p := range packages(t) {
		for _, part := range strings.Split(strings.TrimPrefix(p.ImportPath, module), "/") {
			if slices.Contains([]string{"utils", "util", "common", "manager", "helper", "helpers", "misc"}, part) {
				t.Errorf("%s: the name says nothing", p.ImportPath)
			}
		}
	}
}
