package detect

import (
	"context"
	"errors"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/dstack"
)

var errNoBackend = errors.New("this build has no back end for it")

func dstackAt(endpoint, why string) candidate {
	return candidate{Finding: Finding{Platform: "dstack-tdx", Endpoint: endpoint, Why: why}, open: openDstack}
}

func openDstack(ctx context.Context, env Environment, c candidate) (attest.Attester, error) {
	return dstack.Open(ctx, dstack.Options{Endpoint: c.Endpoint, Derivation: c.derivation, AppCompose: env.AppCompose})
}

func gramineAt(env Environment, why string) (candidate, error) {
	return candidate{Finding: Finding{Platform: "gramine-sgx", Endpoint: env.path(attestationDir), Why: why}, open: openGramine}, nil
}

func openGramine(context.Context, Environment, candidate) (attest.Attester, error) {
	return nil, errNoBackend
}

func tsmAt(env Environment, why string) (candidate, error) {
	return candidate{Finding: Finding{Platform: "tdx", Endpoint: env.path(tsmDir), Why: why}, open: openTSM}, nil
}

func openTSM(context.Context, Environment, candidate) (attest.Attester, error) {
	return nil, errNoBackend
}
