package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/server/limit"
)

func (f *processFlags) proxyFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.proxies, "trusted-proxy", nil, "believe X-Forwarded-For from this address or CIDR `RANGE`, the reverse proxy in front (repeat; default $TEAPOT_TRUSTED_PROXY, else nobody)")
	cmd.Flags().BoolVar(&f.proxyHeader, "proxy-protocol", false, "connections from --trusted-proxy begin with a PROXY header (dstack's gateway with port_policy pp, balancers that pass TLS through)")
}

// trustedProxies are those of the command line, else of the environment.
func (f *processFlags) trustedProxies() (limit.Proxies, error) {
	given := f.proxies
	if len(given) == 0 {
		given = []string{os.Getenv("TEAPOT_TRUSTED_PROXY")}
	}
	p, err := limit.ParseProxies(given)
	if err != nil {
		return nil, fmt.Errorf("--trusted-proxy: %w", err)
	}
	if f.proxyHeader && len(p) == 0 {
		return nil, errors.New("--proxy-protocol needs --trusted-proxy: a header of strangers is never read")
	}
	return p, nil
}
