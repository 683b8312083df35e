package main

import (
	"fmt"
	"os"

	"github.com/teapot-tee/teapot/server/limit"
)

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
	return p, nil
}
