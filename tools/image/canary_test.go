package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// TestNoSecretOfTheBuilderIsInTheImage plants canaries in the environment and the directory of the build, and searches every layer
// unpacked, the configuration and the SBOM. Teapot's binary is taken where it was built, else this test's.
func TestNoSecretOfTheBuilderIsInTheImage(t *testing.T) {
	const canary = "canary-of-the-builder-4c01d9"
	binary, err := filepath.Abs("../../bin/teapot")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		if binary, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	work := t.TempDir()
	t.Chdir(work)
	for _, name := range []string{"OPENAI_API_KEY", "WALLET_SECRET_SALT", "TEAPOT_TOKEN"} {
		t.Setenv(name, canary)
	}
	for _, name := range []string{".env", "token", "operator.key", "x.character.json"} {
		if err := os.WriteFile(name, []byte(canary), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run(binary, "", "oci", "", "teapot:test", "sbom.json"); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath("oci")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) == 0 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	searched := map[string][]byte{}
	for i, layer := range layers {
		if size, err := layer.Size(); err != nil || size > 20_000_000 {
			t.Errorf("layer %d: %d bytes compressed, at most 20 MB, %v", i, size, err)
		}
		r, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && !bytes.Contains(b, []byte("sbom.spdx.json")) {
			t.Error("the layer was not unpacked: the search would prove nothing")
		}
		searched["layer"] = append(searched["layer"], b...)
	}
	if searched["config"], err = image.RawConfigFile(); err != nil {
		t.Fatal(err)
	}
	if searched["sbom"], err = os.ReadFile("sbom.json"); err != nil {
		t.Fatal(err)
	}
	for where, b := range searched {
		if len(b) == 0 || bytes.Contains(b, []byte(canary)) || bytes.Contains(b, []byte(work)) {
			t.Errorf("%s: %d bytes, the canary or the builder's directory is there", where, len(b))
		}
	}
}

// TestTheIndexIsOCI: every media type is OCI's, so that every registry and engine reads it as what it is called.
func TestTheIndexIsOCI(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "oci")
	if _, err := run(self, self, dir, "", "teapot:test", ""); err != nil {
		t.Fatal(err)
	}
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil || len(blobs) < 5 {
		t.Fatalf("%v, %v", blobs, err)
	}
	for _, path := range append(blobs, filepath.Join(dir, "index.json")) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if b[0] == '{' && bytes.Contains(b, []byte("vnd.docker")) {
			t.Errorf("%s: %s", path, b)
		}
	}
}
