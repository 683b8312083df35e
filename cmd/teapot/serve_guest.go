package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"

	"github.com/teapot-tee/teapot/boot/measured"
	"github.com/teapot-tee/teapot/guestapi"
	"github.com/teapot-tee/teapot/keys"
)

// noAgent stands for the process itself in key paths.
const noAgent = "00000000-0000-0000-0000-000000000000"

// guestServer answers one guest under its policy. Callers' keys come from a root of their own, which the platform derives for
// Teapot; the platform's own key paths stay out of reach.
func (r *running) guestServer(ctx context.Context, g measured.Guest) (*guestapi.Server, error) {
	path, err := keys.Path(keys.Guest, noAgent, keys.Secp256k1)
	if err != nil {
		return nil, err
	}
	root, err := r.attester.Key(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("deriving the root of callers' keys: %w", err)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca, err := guestapi.SelfSignedCA(caKey, "Teapot guest "+g.Name)
	if err != nil {
		return nil, err
	}
	callers, err := guestapi.NewRoot(root.Secret, nil, ca)
	if err != nil {
		return nil, err
	}
	return guestapi.New(guestapi.Options{
		Attester: r.attester, Keys: callers, Policy: g.Policy(), Reserved: r.reservedPaths(), Rev: "teapot-" + version,
		Simulated: r.finding.Simulated,
	})
}

// reservedPaths are the exact key paths of wallets in use.
func (r *running) reservedPaths() []string {
	var paths []string
	for _, a := range r.process.Agents() {
		for _, w := range a.Wallets() {
			paths = append(paths, w.Path)
		}
	}
	return paths
}
