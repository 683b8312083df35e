package main

import (
	"cmp"

	"github.com/teapot-tee/teapot/attest"
)

// collateralSource is the simulator's own PKI, or none where the platform has none at hand.
func collateralSource(a attest.Attester, _ string) attest.CollateralSource {
	if own, ok := a.(attest.CollateralSource); ok {
		return own
	}
	return nil
}

func cmpStrings(a, b string) int { return cmp.Compare(a, b) }
