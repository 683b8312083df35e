// Package web is the reader's page: explorer, agent page, chat and dashboard, with the verifier that runs inside them.
//
// It serves files and decides nothing. Every verdict on a page comes from the WASM build of package verify
// (cmd/teapot-wasm) in the reader's own browser. A page served by the agent under test could lie, and says so;
// the same files from a disk or another origin, with their published hash (Hash, Export), are the proof path.
//
// The scripts and styles in dist/ are committed and rebuilt by scripts/web.sh (CI demands no difference).
// The verifier (dist/web/verifier.wasm.br, dist/web/wasm_exec.js) is built by `make build` and not committed:
// docs/decisions/0040-pages.md says why. Without it the pages load and say that they cannot check anything.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

//go:embed all:dist
var dist embed.FS

// verifier is the one asset that is stored compressed.
const verifier = "web/verifier.wasm"

// asset is one file of the bundle as its readers see it, uncompressed; packed holds encodings already made.
type asset struct {
	name   string
	body   []byte
	sum    [sha256.Size]byte
	packed map[string]func() []byte
}

// bundle is the whole set, by name ("explorer.html", "web/app.css").
type bundle map[string]*asset

// embedded reads the files of this binary once.
var embedded = sync.OnceValues(func() (bundle, error) { return load(dist) })

func load(files fs.FS) (bundle, error) {
	root, err := fs.Sub(files, "dist")
	if err != nil {
		return nil, err
	}
	all := bundle{}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		a, err := newAsset(name, raw)
		if err != nil {
			return fmt.Errorf("web: %s: %w", name, err)
		}
		all[a.name] = a
		return nil
	})
	return all, err
}

func newAsset(name string, raw []byte) (*asset, error) {
	plain, stored := strings.CutSuffix(name, ".br")
	a := &asset{name: plain, body: raw, packed: map[string]func() []byte{}}
	a.packed["gzip"] = sync.OnceValue(func() []byte { return gzipped(a.body) })
	a.packed["br"] = sync.OnceValue(func() []byte { return brotlied(a.body) })
	if stored {
		body, err := io.ReadAll(brotli.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return nil, fmt.Errorf("unpacking: %w", err)
		}
		a.body = body
		a.packed["br"] = func() []byte { return raw }
	}
	a.sum = sha256.Sum256(a.body)
	return a, nil
}

// Files lists the bundle's files, sorted, each with the SHA-256 of its uncompressed bytes.
func Files() ([]File, error) {
	all, err := embedded()
	if err != nil {
		return nil, err
	}
	return all.files(), nil
}

// File names one file of the bundle.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
}

func (b bundle) files() []File {
	list := make([]File, 0, len(b))
	for _, a := range b {
		list = append(list, File{a.name, hex.EncodeToString(a.sum[:]), len(a.body)})
	}
	slices.SortFunc(list, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	return list
}

// Hash names the whole bundle: SHA-256 over one line per file, sorted by name, in the form of sha256sum(1):
// "<hex>  <name>\n". So `sha256sum` over an exported directory reproduces it without Teapot.
func Hash() (string, error) {
	list, err := Files()
	if err != nil {
		return "", err
	}
	return hash(list), nil
}

func hash(list []File) string {
	h := sha256.New()
	for _, f := range list {
		fmt.Fprintf(h, "%s  %s\n", f.SHA256, f.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// HasVerifier reports whether this binary was built with its WASM verifier (make build).
func HasVerifier() bool {
	all, err := embedded()
	return err == nil && all[verifier] != nil
}

func mediaType(name string) string {
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".json": "application/json", ".svg": "image/svg+xml", ".wasm": "application/wasm", ".txt": "text/plain; charset=utf-8",
	}
	if t, ok := types[path.Ext(name)]; ok {
		return t
	}
	return "application/octet-stream"
}
