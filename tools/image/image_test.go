package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// TestSameBinarySameDigest builds the image twice in different directories from this test binary.
func TestSameBinarySameDigest(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	first, err := run(self, "", filepath.Join(t.TempDir(), "oci"), "", "teapot:test", "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := run(self, "", filepath.Join(t.TempDir(), "elsewhere"), "", "teapot:test", "")
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Errorf("digests differ: %s and %s", first, second)
	}
}

func TestArchiveRunsAsUnprivilegedUser(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if _, err := run(self, "", "", archive, "teapot:test", ""); err != nil {
		t.Fatal(err)
	}
	img, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.Config.Healthcheck == nil {
		t.Errorf("user %q, health check %v", config.Config.User, config.Config.Healthcheck)
	}
}
