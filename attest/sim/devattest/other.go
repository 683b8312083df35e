//go:build !linux

package devattest

import (
	"errors"
	"fmt"
)

// Gramine runs on Linux only, and so does what plays it.

func clearDeadMount(string) {}

func (d *device) mount(string) (*Played, error) { return nil, errors.ErrUnsupported }

func (d *device) pipes(string) (*Played, error) {
	return nil, fmt.Errorf("/dev/attestation is played on Linux only: %w", errors.ErrUnsupported)
}
