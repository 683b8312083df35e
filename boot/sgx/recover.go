package sgx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/boot/envelope"
	"github.com/teapot-tee/teapot/boot/operator"
	"github.com/teapot-tee/teapot/evidence"
)

// Files beside the envelope, in the one directory that host and enclave share.
const (
	requestFile = "request.json" // Evidence document over a teapot/recovery/v1 statement
	answerFile  = "answer.json"  // teapot/recovery-answer/v1
)

// lookEvery is how often the enclave looks for the answer; a person brings it.
const lookEvery = time.Second

// recovery reads the operator's public key. It must be measured: a file that the host can write would let the host name itself.
func (o Options) recovery() (*operator.PublicKey, error) {
	if o.Recovery == "" {
		return nil, nil //nolint:nilnil // off, the default
	}
	if !filepath.IsAbs(o.Recovery) || inside(o.Recovery, o.Envelope) {
		return nil, fmt.Errorf("--recovery-key %s: an absolute path outside the envelope's directory is wanted, which the host writes; make it a trusted file of the manifest (teapot deploy gramine render --file)", o.Recovery)
	}
	raw, err := os.ReadFile(o.Recovery)
	if err != nil {
		return nil, fmt.Errorf("reading --recovery-key: %w", err)
	}
	return operator.ParsePublic(raw)
}

func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// ask publishes an attested request for the data key and waits for the operator's answer.
func (o Options) ask(ctx context.Context, sealed []byte, recovery *operator.PublicKey) ([]byte, error) {
	request, err := operator.NewRequest(uint64(time.Now().UnixMilli()), o.Software, recovery, sealed)
	if err != nil {
		return nil, err
	}
	document, err := o.attested(ctx, request.Statement)
	if err != nil {
		return nil, fmt.Errorf("asking the operator for the data key: %w", err)
	}
	path := filepath.Join(o.Envelope, requestFile)
	if err := attest.WriteFile(path, document); err != nil {
		return nil, err
	}
	o.notify("no slot of the data key's envelope opens: the microcode, the build or the machine changed since it was sealed.\n"+
		"Waiting for the operator. Bring %s and envelope.json to the operator's machine, there:\n"+
		"  teapot provision answer request.json --envelope envelope.json --key operator.key --policy POLICY --origin ORIGIN -o answer.json\n"+
		"and bring answer.json back beside them.", path)
	dataKey, err := o.await(ctx, request, recovery)
	if err != nil {
		return nil, err
	}
	return dataKey, errors.Join(remove(path), remove(filepath.Join(o.Envelope, answerFile)))
}

// remove removes a file, which the host may have removed already.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (o Options) attested(ctx context.Context, statement []byte) ([]byte, error) {
	enclave, err := gramine.Open(ctx, gramine.Options{Dir: o.Attestation})
	if err != nil {
		return nil, err
	}
	quote, err := enclave.Quote(ctx, evidence.ReportData(statement))
	if err != nil {
		return nil, errors.Join(err, enclave.Close())
	}
	document, err := evidence.Evidence{Platform: enclave.Platform(), Statement: statement, Quote: quote.Raw}.Marshal()
	return document, errors.Join(err, enclave.Close())
}

// await looks until an answer opens. An answer that does not is said once: the host can write anything there.
func (o Options) await(ctx context.Context, request *operator.Request, from *operator.PublicKey) ([]byte, error) {
	said := ""
	for {
		dataKey, err := o.answer(request, from)
		if err == nil && dataKey != nil {
			return dataKey, nil
		}
		if err != nil && err.Error() != said {
			said = err.Error()
			o.notify("%s is not taken: %s", answerFile, said)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("stopped while waiting for the operator's answer: %w", envelope.ErrNoSlot)
		case <-time.After(lookEvery):
		}
	}
}

// answer returns nil where there is none yet.
func (o Options) answer(request *operator.Request, from *operator.PublicKey) ([]byte, error) {
	f, err := os.Open(filepath.Join(o.Envelope, answerFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return request.Open(raw, from)
}

func (o Options) notify(format string, args ...any) {
	if o.Notice != nil {
		fmt.Fprintf(o.Notice, "teapot: "+format+"\n", args...)
	}
}
