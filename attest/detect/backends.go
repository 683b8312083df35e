package detect

import (
	"context"
	"path/filepath"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/dstack"
	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/attest/tsm"
)

func dstackAt(endpoint, why string) candidate {
	return candidate{Finding: Finding{Platform: "dstack-tdx", Endpoint: endpoint, Why: why}, open: openDstack}
}

func openDstack(ctx context.Context, env Environment, c candidate) (attest.Attester, error) {
	return dstack.Open(ctx, dstack.Options{Endpoint: c.Endpoint, Derivation: c.derivation, AppCompose: env.AppCompose})
}

func gramineAt(env Environment, why string) (candidate, error) {
	return candidate{Finding: Finding{Platform: "gramine-sgx", Endpoint: env.path(attestationDir), Why: why}, open: openGramine}, nil
}

func openGramine(ctx context.Context, env Environment, c candidate) (attest.Attester, error) {
	return gramine.Open(ctx, gramine.Options{Dir: c.Endpoint, Root: env.GramineRoot, HostEnvironment: env.HostEnvironment})
}

func tsmAt(env Environment, why string) (candidate, error) {
	return candidate{Finding: Finding{Platform: "tdx", Endpoint: env.path(tsmDir), Why: why}, open: openTSM}, nil
}

func openTSM(ctx context.Context, env Environment, c candidate) (attest.Attester, error) {
	return tsm.Open(ctx, tsm.Options{
		Dir: filepath.Dir(c.Endpoint), CCEL: env.path("/sys/firmware/acpi/tables/data/CCEL"), Measurements: env.path("/sys/class/misc/tdx_guest/measurements"),
		OperatorKey: env.OperatorKey,
	})
}
