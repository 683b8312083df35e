package tsm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/google/go-configfs-tsm/report"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/eventlog"
)

// generationRaces is how often a request that another writer disturbed is made again.
const generationRaces = 5

// Quote asks the kernel: an own directory for the request, report data into inblob, quote out of outblob, and the generation
// counter read afterwards, which tells whether anybody wrote in between. The kernel reports errors when outblob is read.
func (g *Guest) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	raw, err := g.outblob(ctx, reportData)
	if err != nil {
		return attest.Quote{}, fmt.Errorf("configfs-tsm: %w", err)
	}
	body, err := tdReport(raw)
	if err != nil {
		return attest.Quote{}, fmt.Errorf("configfs-tsm: %w", err)
	}
	if got := [64]byte(body[520:584]); got != reportData {
		return attest.Quote{}, fmt.Errorf("configfs-tsm: the quote carries report data %x, asked for %x", got, reportData)
	}
	q := attest.Quote{Raw: raw}
	if q.CCEL, err = g.ccel(); err != nil {
		return attest.Quote{}, err
	}
	if len(g.events) > 0 {
		q.EventLog, err = eventlog.Marshal(g.events)
	}
	return q, err
}

func (g *Guest) outblob(ctx context.Context, reportData [64]byte) ([]byte, error) {
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		answer, err := report.Get(g.options.Client, &report.Request{InBlob: reportData[:]})
		if err != nil && report.GetGenerationErr(err) != nil && n < generationRaces {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("getting a quote (errors of the quoting service show when outblob is read): %w", err)
		}
		if provider := strings.TrimSpace(answer.Provider); provider != "tdx_guest" {
			return nil, fmt.Errorf("report provider %.40q, want tdx_guest", provider)
		}
		if len(answer.OutBlob) == 0 {
			return nil, errors.New("the kernel handed out an empty quote: the host's quoting service (qgs) does not answer")
		}
		return answer.OutBlob, nil
	}
}

// tdReport is the TD report in a TDX quote: after the 48-byte header in version 4, after a six-byte body descriptor in version 5
// (Intel TDX DCAP quoting library API, A.3 and A.4).
func tdReport(quote []byte) ([]byte, error) {
	const header, size = 48, 584
	if len(quote) < header+6+size {
		return nil, fmt.Errorf("a TDX quote has more than %d bytes", len(quote))
	}
	version, tee := binary.LittleEndian.Uint16(quote), binary.LittleEndian.Uint32(quote[4:])
	switch {
	case tee == 0x81 && version == 4:
		return quote[header : header+size], nil
	case tee == 0x81 && version == 5:
		return quote[header+6 : header+6+size], nil
	}
	return nil, fmt.Errorf("not a TDX quote of version 4 or 5 (version %d, TEE type %#x)", version, tee)
}

// ccel is the firmware's log; not every guest's firmware hands one over.
func (g *Guest) ccel() ([]byte, error) {
	raw, err := os.ReadFile(g.options.CCEL)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the firmware's event log: %w", err)
	}
	return raw, nil
}
