package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

type spdxDocument struct {
	Version       string             `json:"spdxVersion"`
	License       string             `json:"dataLicense"`
	ID            string             `json:"SPDXID"`
	Name          string             `json:"name"`
	Namespace     string             `json:"documentNamespace"`
	Creation      spdxCreation       `json:"creationInfo"`
	Packages      []spdxPackage      `json:"packages"`
	Relationships []spdxRelationship `json:"relationships"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID        string         `json:"SPDXID"`
	Name      string         `json:"name"`
	Version   string         `json:"versionInfo"`
	Location  string         `json:"downloadLocation"`
	Checksums []spdxChecksum `json:"checksums,omitempty"`
	Analyzed  bool           `json:"filesAnalyzed"`
}

type spdxChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type spdxRelationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

// spdx lists the modules that the Go linker recorded in the binary, as SPDX 2.3 JSON without a clock.
func spdx(path string, binary []byte) ([]byte, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the module list of %s: %w", path, err)
	}
	sum := sha256.Sum256(binary)
	digest := hex.EncodeToString(sum[:])
	doc := spdxDocument{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: "teapot",
		Namespace: "https://github.com/teapot-tee/teapot/sbom/" + digest,
		Creation:  spdxCreation{Created: "1970-01-01T00:00:00Z", Creators: []string{"Tool: teapot-image"}},
	}
	main := spdxPackage{
		ID: "SPDXRef-teapot", Name: info.Main.Path, Version: info.GoVersion, Location: "NOASSERTION",
		Checksums: []spdxChecksum{{Algorithm: "SHA256", Value: digest}},
	}
	doc.Packages = append(doc.Packages, main)
	doc.Relationships = append(doc.Relationships, spdxRelationship{From: doc.ID, Type: "DESCRIBES", To: main.ID})
	for _, dep := range info.Deps {
		id := "SPDXRef-" + strings.NewReplacer("/", "-", "_", "-").Replace(dep.Path)
		doc.Packages = append(doc.Packages, spdxPackage{ID: id, Name: dep.Path, Version: dep.Version, Location: "https://" + dep.Path})
		doc.Relationships = append(doc.Relationships, spdxRelationship{From: main.ID, Type: "DEPENDS_ON", To: id})
	}
	return json.MarshalIndent(doc, "", " ")
}
