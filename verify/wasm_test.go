package verify_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/internal/need"
)

// TestNativeAndWASMGiveTheSameResults: the page's verdicts are the command line's, byte for byte.
func TestNativeAndWASMGiveTheSameResults(t *testing.T) {
	node := need.Tool(t, "node")
	dir := t.TempDir()
	files := judgeable(t, dir)
	args := append([]string{time.Now().UTC().Format(time.RFC3339)}, files...)
	native := run(t, nil, build(t, dir, "judge", nil), args...)
	loader := filepath.Join(runtime.GOROOT(), "lib", "wasm", "wasm_exec_node.js") //nolint:staticcheck // the toolchain that runs this test
	wasm := run(t, nil, node, append([]string{"--stack-size=4000", loader, build(t, dir, "judge.wasm", []string{"GOOS=js", "GOARCH=wasm"})}, args...)...)
	a, b := strings.Split(native, "\n"), strings.Split(wasm, "\n")
	if len(a) != len(files)+1 || len(a) != len(b) {
		t.Fatalf("%d files, %d native and %d WASM lines:\n%s", len(files), len(a), len(b), wasm)
	}
	for i, path := range files {
		if a[i] != b[i] {
			t.Errorf("%s:\nnative %s\nwasm   %s", filepath.Base(path), a[i], b[i])
		}
	}
}

func build(t *testing.T, dir, name string, env []string) string {
	t.Helper()
	out := filepath.Join(dir, name)
	run(t, append(env, "CGO_ENABLED=0"), "go", "build", "-o", out, "./internal/judge")
	return out
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.Bytes())
	}
	return string(out)
}

// judgeable writes good and bad files of every kind.
func judgeable(t *testing.T, dir string) (paths []string) {
	t.Helper()
	keep := func(name string, content []byte) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	file := sample(t)
	keep("good.bundle", file)
	list := records(t, file)
	for k, r := range list {
		if len(r.body) == 0 || r.kind == 9 {
			continue
		}
		at := len(r.body) / 2
		r.body[at] ^= 4
		keep(fmt.Sprintf("flipped-%d.bundle", k), assemble(list))
		r.body[at] ^= 4
	}
	keep("cut.bundle", file[:len(file)/2])
	p := begin(t, t.TempDir())
	p.talk(t, 2)
	document, err := p.Evidence().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	keep("evidence.json", document)
	keep("quote.bin", p.Evidence().Quote)
	short, whole := p.receipts(t)
	keep("short.json", short)
	keep("receipt.json", whole)
	keep("part.bundle", p.bundle(t, actionlog.Extract{Contents: true}))
	return paths
}
