package main

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/detect"
	"github.com/teapot-tee/teapot/attest/sim"
)

// plainAttester hides what else an attester can do.
type plainAttester struct{ attest.Attester }

func TestWhereCollateralComesFrom(t *testing.T) {
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if collateralSource(s, detect.Finding{Simulated: true}, t.TempDir()) != attest.CollateralSource(s) {
		t.Error("the simulator has its own")
	}
	if collateralSource(plainAttester{s}, detect.Finding{Simulated: true}, t.TempDir()) != nil {
		t.Error("Intel would be asked about a simulator's platform")
	}
	if _, ok := collateralSource(plainAttester{s}, detect.Finding{}, t.TempDir()).(bounded); !ok {
		t.Error("hardware has no source")
	}
}

// stuck never answers.
type stuck struct{}

func (stuck) Collateral(ctx context.Context, _ []byte) (json.RawMessage, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestASlowCollateralServiceDoesNotHoldAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if _, err := (bounded{stuck{}}).Collateral(t.Context(), nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != collateralWait {
			t.Errorf("waited %s: %v", time.Since(begun), err)
		}
	})
}
