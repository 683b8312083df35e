package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/web"
)

func runWeb(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(context.Background(), append([]string{"web"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestWebHash(t *testing.T) {
	code, text, _ := runWeb("hash")
	sum, err := web.Hash()
	if err != nil || code != 0 || !strings.HasSuffix(text, sum+"  (all)\n") || !strings.Contains(text, "  explorer.html\n") {
		t.Errorf("exit %d, %v\n%s", code, err, text)
	}
	code, text, _ = runWeb("hash", "--json")
	var answer struct{ SHA256 string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || code != 0 || answer.SHA256 != sum {
		t.Errorf("exit %d, %v\n%s", code, err, text)
	}
}

func TestWebExport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "explorer.html")
	code, _, stderr := runWeb("export", "-o", file)
	if !web.HasVerifier() {
		if code != 2 || !strings.Contains(stderr, "make build") {
			t.Errorf("without a verifier: exit %d: %s", code, stderr)
		}
		return
	}
	page, err := os.ReadFile(file)
	if err != nil || code != 0 || !bytes.HasPrefix(page, []byte("<!doctype html>")) {
		t.Errorf("exit %d, %v: %s", code, err, stderr)
	}
	sum := sha256.Sum256(page)
	if _, text, _ := runWeb("hash"); !strings.Contains(text, hex.EncodeToString(sum[:])+"  (teapot-explorer.html") {
		t.Errorf("the hash of the exported file is %x, teapot web hash says\n%s", sum, text)
	}
	if code, _, _ := runWeb("export", "-o", filepath.Join(file, "x")); code != 2 {
		t.Errorf("an unwritable file: exit %d", code)
	}
	if code, _, _ := runWeb("export", "surplus"); code != 64 {
		t.Errorf("a surplus argument: exit %d", code)
	}
}
