package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the unprivileged user of the image; it owns /data and /run/teapot, and nothing else.
const user = 65532

type platformImage struct {
	arch  string
	image v1.Image
	sbom  []byte
}

type file struct {
	name string
	mode int64
	uid  int
	body []byte // nil: a directory
}

func build(arch, path string) (platformImage, error) {
	binary, err := os.ReadFile(path)
	if err != nil {
		return platformImage{}, fmt.Errorf("reading the %s binary: %w", arch, err)
	}
	sbom, err := spdx(path, binary)
	if err != nil {
		return platformImage{}, err
	}
	layer, err := pack([]file{
		{name: "data/", mode: 0o700, uid: user},
		{name: "etc/", mode: 0o755},
		{name: "etc/passwd", mode: 0o644, body: []byte("teapot:x:65532:65532::/data:/teapot\n")},
		{name: "run/", mode: 0o755},
		{name: "run/teapot/", mode: 0o755, uid: user}, // sockets for the container beside: a fresh volume takes this owner
		{name: "sbom.spdx.json", mode: 0o644, body: sbom},
		{name: "teapot", mode: 0o755, body: binary},
		{name: "tmp/", mode: 0o1777},
	})
	if err != nil {
		return platformImage{}, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return platformImage{}, err
	}
	img, err = configure(img, arch)
	return platformImage{arch: arch, image: img, sbom: sbom}, err
}

func configure(img v1.Image, arch string) (v1.Image, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		Entrypoint:   []string{"/teapot"},
		Cmd:          []string{"run"},
		WorkingDir:   "/data",
		Env:          []string{"PATH=/", "TEAPOT_DATA=/data", "TEAPOT_ADDR=0.0.0.0:3000", "TEAPOT_PLATFORM=require-hardware"},
		ExposedPorts: map[string]struct{}{"3000/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "/teapot", "health"}, Interval: 10 * time.Second, Timeout: 5 * time.Second, Retries: 3,
		},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "teapot",
			"org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.source":   "https://github.com/teapot-tee/teapot",
		},
	}
	return mutate.ConfigFile(img, config)
}

// pack writes the files, sorted by the caller, with a zero time stamp: equal files give equal bytes.
func pack(files []file) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.uid, Gid: f.uid, Size: int64(len(f.body)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if f.body == nil {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithCompressionLevel(9), tarball.WithMediaType(types.OCILayer))
}
