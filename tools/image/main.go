// Command image writes a reproducible OCI image of one static binary: no daemon, no base image, no clock.
//
//	image -amd64 FILE -arm64 FILE -out DIR [-tar FILE] [-ref NAME] [-sbom FILE]
//
// The image holds the binary, its SBOM and an empty data directory owned by the unprivileged user; CA roots are inside the
// binary. The same binaries give the same digest, in any directory and at any time. The digest goes to stdout.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func main() {
	amd64 := flag.String("amd64", "", "linux/amd64 binary")
	arm64 := flag.String("arm64", "", "linux/arm64 binary")
	out := flag.String("out", "", "directory for the OCI layout")
	archive := flag.String("tar", "", "also write the amd64 image as a docker archive")
	ref := flag.String("ref", "teapot:latest", "name inside the docker archive")
	sbom := flag.String("sbom", "", "also write the amd64 SBOM (SPDX 2.3 JSON) here")
	flag.Parse()
	digest, err := run(*amd64, *arm64, *out, *archive, *ref, *sbom)
	if err != nil {
		fmt.Fprintln(os.Stderr, "image: error:", err)
		os.Exit(2)
	}
	fmt.Println(digest)
}

func run(amd64, arm64, out, archive, ref, sbom string) (string, error) {
	main, err := build("amd64", amd64)
	if err != nil {
		return "", err
	}
	images := []platformImage{main}
	if arm64 != "" {
		second, err := build("arm64", arm64)
		if err != nil {
			return "", err
		}
		images = append(images, second)
	}
	if sbom != "" {
		if err := os.WriteFile(sbom, main.sbom, 0o644); err != nil {
			return "", err
		}
	}
	if archive != "" {
		if err := writeArchive(archive, ref, main.image); err != nil {
			return "", err
		}
	}
	return writeLayout(out, images)
}

func writeArchive(path, ref string, img v1.Image) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(path, tag, img)
}

// writeLayout writes the index of all platforms and returns its digest.
func writeLayout(dir string, images []platformImage) (string, error) {
	var index v1.ImageIndex = empty.Index
	for _, p := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        p.image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: p.arch}},
		})
	}
	digest, err := index.Digest()
	if err != nil || dir == "" {
		return digest.String(), err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	_, err = layout.Write(dir, index)
	return digest.String(), err
}
