//go:build linux

package devattest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// pipes plays with named pipes for what changes and plain files for what does not. A pipe can be written or read, not both:
// user_report_data and target_info can only be written here.
func (d *device) pipes(dir string) (*Played, error) {
	keys := filepath.Join(dir, "keys")
	if err := os.Mkdir(keys, 0o755); err != nil {
		return nil, err
	}
	fixed := map[string][]byte{"attestation_type": []byte("dcap"), "my_target_info": d.myTargetInfo()}
	for _, name := range sealingKeys() {
		key, err := d.sealingKey(name)
		if err != nil {
			return nil, err
		}
		fixed[filepath.Join("keys", name)] = key
	}
	for name, content := range fixed {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil { //nolint:gosec // a simulator keeps no secrets
			return nil, err
		}
	}
	f := NewFifos(dir)
	err := errors.Join(
		f.Writes("user_report_data", d.setReportData),
		f.Writes("target_info", d.setTargetInfo),
		f.Reads("report", func() ([]byte, error) { f.Settle(); return d.report(), nil }),
		f.Reads("quote", func() ([]byte, error) { f.Settle(); return d.quote(context.Background()) }),
	)
	remove := func() error {
		errs := []error{f.Close()}
		for name := range fixed {
			errs = append(errs, os.Remove(filepath.Join(dir, name)))
		}
		return errors.Join(append(errs, os.Remove(keys))...)
	}
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	return &Played{close: remove}, nil
}
