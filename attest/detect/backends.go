package detect

import (
	"context"
	"errors"

	"github.com/teapot-tee/teapot/attest"
)

var errNoBackend = errors.New("this build has no back end for it")

func dstackAt(endpoint, why string) candidate {
	return candidate{Finding{Platform: "dstack-tdx", Endpoint: endpoint, Why: why}, func(context.Context, Environment) (attest.Attester, error) { return nil, errNoBackend }}
}

func gramineAt(env Environment, why string) (candidate, error) {
	return candidate{Finding{Platform: "gramine-sgx", Endpoint: env.path(attestationDir), Why: why}, func(context.Context, Environment) (attest.Attester, error) { return nil, errNoBackend }}, nil
}

func tsmAt(env Environment, why string) (candidate, error) {
	return candidate{Finding{Platform: "tdx", Endpoint: env.path(tsmDir), Why: why}, func(context.Context, Environment) (attest.Attester, error) { return nil, errNoBackend }}, nil
}

// genuine checks that the platform's own quote is under Intel's root.
func genuine(context.Context, attest.Attester) error { return errNoBackend }
