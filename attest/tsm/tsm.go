// Package tsm is the back end for a plain TDX guest: quotes through the kernel's configfs-tsm, firmware log (CCEL), and RTMR
// extension where the kernel has it.
//
// It trusts the kernel, as everything in the guest does. Keys live for one start: the platform has no sealing, so they are random
// unless the operator supplies a key, and then the operator can derive them too (Custody says so).
//
// Source: Linux Documentation/ABI/testing/configfs-tsm-report and sysfs-class-misc-tdx_guest; ../shared/facts/deploy.md section 3.3.
package tsm

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/google/go-configfs-tsm/configfs/configfsi"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
)

// Derivations that Key offers. They are recorded in data directories, so their meaning never changes.
const (
	DerivationThisStart = "tdx this-start/v1"
	DerivationOperator  = "tdx hkdf-sha256 operator-key/v1"
)

// Options of the back end.
type Options struct {
	// Dir is the directory of configfs-tsm, /sys/kernel/config/tsm when empty.
	Dir string
	// Client replaces the file system below Dir; tests use the library's fake.
	Client configfsi.Client
	// CCEL is the firmware's event log, /sys/firmware/acpi/tables/data/CCEL when empty. A guest without it is fine.
	CCEL string
	// Measurements is the kernel's directory of registers (6.16 and later), /sys/class/misc/tdx_guest/measurements when empty.
	Measurements string
	// OperatorKey makes keys that outlive this start, 16 bytes or more; whoever has it has the keys.
	OperatorKey []byte
}

// Guest is an open back end. It is safe for concurrent use.
type Guest struct {
	options Options
	root    []byte

	mu     sync.Mutex       // a quote and the log it comes with are of one moment
	events []eventlog.Event // guarded by mu: what EmitEvent extended
}

// Open checks that the kernel has configfs-tsm.
func Open(_ context.Context, o Options) (*Guest, error) {
	setDefault(&o.Dir, configfsi.TsmPrefix)
	setDefault(&o.CCEL, "/sys/firmware/acpi/tables/data/CCEL")
	setDefault(&o.Measurements, "/sys/class/misc/tdx_guest/measurements")
	if o.Client == nil {
		if err := checkDir(o.Dir); err != nil {
			return nil, err
		}
		o.Client = files{o.Dir}
	}
	g := &Guest{options: o, root: o.OperatorKey}
	if o.OperatorKey == nil {
		g.root = make([]byte, 32)
		_, _ = rand.Read(g.root) // never fails
	}
	if len(g.root) < 16 {
		return nil, fmt.Errorf("operator key of %d bytes, want 16 or more", len(g.root))
	}
	return g, nil
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

func checkDir(dir string) error {
	info, err := os.Stat(dir + "/report")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s/report is not there: no TDX guest, or a kernel without TSM_REPORTS (6.7 and later have it; modprobe tdx_guest; mount -t configfs none /sys/kernel/config)", dir)
	}
	if err != nil {
		return fmt.Errorf("configfs-tsm: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s/report is not a directory", dir)
	}
	return nil
}

// Platform is "tdx".
func (g *Guest) Platform() string { return "tdx" }

// Custody is this start's, or the operator's where there is an operator key.
func (g *Guest) Custody() evidence.Custody {
	if g.options.OperatorKey != nil {
		return evidence.Operator
	}
	return evidence.ThisStart
}

// Derivation is the one in use.
func (g *Guest) Derivation() string {
	if g.options.OperatorKey != nil {
		return DerivationOperator
	}
	return DerivationThisStart
}

// Close does nothing.
func (g *Guest) Close() error { return nil }

// Key is HKDF-SHA256 of the root, salt "teapot-tdx/v1", info the path. The platform makes no voucher for keys.
func (g *Guest) Key(_ context.Context, path string) (attest.Key, error) {
	secret, err := hkdf.Key(sha256.New, g.root, []byte("teapot-tdx/v1"), path, 32)
	if err != nil {
		return attest.Key{}, fmt.Errorf("deriving a key: %w", err)
	}
	return attest.Key{Secret: [32]byte(secret)}, nil
}

// Info comes out of the guest's own quote.
func (g *Guest) Info(ctx context.Context) (attest.Info, error) {
	q, err := g.Quote(ctx, [64]byte{})
	if err != nil {
		return attest.Info{}, err
	}
	body, err := tdReport(q.Raw)
	if err != nil {
		return attest.Info{}, err
	}
	info := attest.Info{Unmeasured: []evidence.Unmeasured{
		{Name: "root in the guest", Detail: "whoever is root in this guest is trusted; dm-verity and the command line must be among the measured"},
	}}
	info.Measurements.MRTD = hex.EncodeToString(body[136:184])
	for i := range info.Measurements.RTMR {
		info.Measurements.RTMR[i] = hex.EncodeToString(body[328+48*i : 376+48*i])
	}
	return info, nil
}

var (
	_ attest.Attester     = (*Guest)(nil)
	_ attest.EventEmitter = (*Guest)(nil)
)
