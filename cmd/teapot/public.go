package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/ratls"
)

// publicFlags are for agents that browsers reach by a public name.
type publicFlags struct {
	names           []string
	directory, base string
}

func (f *publicFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.names, "public-name", nil, "get a certificate that browsers accept for this `NAME`, over the attested TLS key (ACME, port 443; repeat; implies --tls)")
	cmd.Flags().StringVar(&f.directory, "acme-directory", "", "ACME directory `URL` (default Let's Encrypt)")
	cmd.Flags().StringVar(&f.base, "app-base", "", "answer 421 to names under this `DOMAIN` whose first label is not this app id")
}

// public puts public certificates before the self-signed one.
func (r *running) publicTLS(key crypto.Signer, own tls.Certificate) {
	f := r.flags.public
	if len(f.names) == 0 {
		return
	}
	r.public = &ratls.Public{Key: key, Own: own, Names: f.names, Directory: f.directory, Logger: r.logger}
	r.tls = r.public.Config()
}

// keepPublic renews in the background until the context ends.
func (r *running) keepPublic(ctx context.Context) {
	if r.public != nil {
		go r.public.Keep(ctx)
	}
}

// named refuses names that belong to other apps, where the operator names the base domain.
func (r *running) named(ctx context.Context, h http.Handler) (http.Handler, error) {
	if r.flags.public.base == "" {
		return h, nil
	}
	info, err := r.attester.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the platform for the app id: %w", err)
	}
	if info.AppID == "" {
		return nil, fmt.Errorf("--app-base: platform %s has no app id", r.attester.Platform())
	}
	return ratls.ContentAddressed(r.flags.public.base, info.AppID, h), nil
}
