package tsm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-configfs-tsm/rtmr"

	"github.com/teapot-tee/teapot/eventlog"
)

// runtimeRegister is the register for applications' events, as on dstack.
const runtimeRegister = 3

// EmitEvent extends RTMR3 and logs the event. The log holds only what this process extended: it replays to the register only if
// nobody else extended it before.
func (g *Guest) EmitEvent(_ context.Context, name string, payload []byte) error {
	if name == "" {
		return errors.New("an event needs a name")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	event := eventlog.NewRuntime(name, slices.Clone(payload))
	if err := g.extend(event.Digest); err != nil {
		return fmt.Errorf("extending RTMR%d: %w", runtimeRegister, err)
	}
	g.events = append(g.events, event)
	return nil
}

// extend uses the register files of Linux 6.16 and later, or the rtmrs directory of configfs-tsm that some vendors' kernels have.
func (g *Guest) extend(digest [48]byte) error {
	file := filepath.Join(g.options.Measurements, fmt.Sprintf("rtmr%d:sha384", runtimeRegister))
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.Write(digest[:])
		return errors.Join(err, f.Close())
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := rtmr.ExtendDigest(g.options.Client, runtimeRegister, digest[:]); err != nil {
		return fmt.Errorf("this kernel has neither %s nor configfs-tsm's rtmrs: %w", file, err)
	}
	return nil
}
