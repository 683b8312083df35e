package boot

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/keys"
)

// LogDir is where the logs lie inside a data directory.
func LogDir(data string) string { return filepath.Join(data, "log") }

// OpenLogs opens the logs of a data directory without a start: for reading only, since without a boot leaf nothing can be
// written. It works where the caller can derive the keys, so outside a TEE for simulators only. Each spec needs ID, Name and
// LogNumber.
func OpenLogs(ctx context.Context, a attest.Attester, data string, specs []AgentSpec) (*actionlog.Store, []*actionlog.Log, error) {
	index, err := secret(ctx, a, keys.Storage, nobody)
	if err != nil {
		return nil, nil, err
	}
	store, err := actionlog.Open(actionlog.Options{Dir: LogDir(data), Platform: a.Platform(), IndexKey: index, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	var logs []*actionlog.Log
	for _, spec := range specs {
		d, err := deriveKeys(ctx, a, spec)
		if err != nil {
			return nil, nil, errors.Join(err, store.Close())
		}
		l, err := store.OpenLog(actionlog.LogOptions{Agent: spec.ID, Number: spec.LogNumber, LogKey: d.log, StorageKey: d.storage, PrivacyKey: d.privacy})
		if err != nil {
			return nil, nil, errors.Join(err, store.Close())
		}
		logs = append(logs, l)
	}
	return store, logs, nil
}
