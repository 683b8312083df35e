package server

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/pcs"
	"github.com/teapot-tee/teapot/server/limit"
	"github.com/teapot-tee/teapot/server/problem"
)

// Collateral hands Intel's public documents about a kind of platform to the explorer: browsers cannot ask Intel's service
// themselves (it allows no other origins). It is a pipe and no proxy: it asks one configured service, for an FMSPC of 12 hex
// digits, at a bounded rate, and vouches for nothing: the reader's verifier checks every signature up to the pinned root.
type Collateral struct {
	Source CollateralSource
	Logger *slog.Logger
	Now    func() time.Time // nil: the real clock
}

// CollateralSource fetches by kind of platform; pcs.Client does.
type CollateralSource interface {
	For(ctx context.Context, n dcap.Needs) (*dcap.Collateral, error)
}

// Limits of the route: an explorer asks once per quote, so these are wide for people and narrow for machines.
const (
	collateralWait    = 10 * time.Second // for the service to answer
	collateralAtOnce  = 4                // requests that wait for it
	collateralRate    = 0.5              // requests per second, all readers together
	collateralBurst   = 20
	collateralPerHost = 0.2
	collateralHost    = 6
)

// Register adds GET /v1/collateral?tee=tdx|sgx&fmspc=HEX&ca=platform|processor.
func (c Collateral) Register(mux *http.ServeMux) {
	now := c.Now
	if now == nil {
		now = time.Now
	}
	all := &limit.Bucket{Rate: collateralRate, Burst: collateralBurst}
	each := &limit.PerAddress{Rate: collateralPerHost, Burst: collateralHost}
	slots := make(chan struct{}, collateralAtOnce)
	mux.HandleFunc("GET /v1/collateral", func(w http.ResponseWriter, r *http.Request) {
		needs, err := collateralNeeds(r)
		if err != nil {
			problem.Write(w, http.StatusBadRequest, "bad request for collateral", err.Error(), "GET /v1/collateral?tee=tdx&fmspc=00806F050000&ca=platform")
			return
		}
		if !limit.Local(r) && !each.Allow(r, now()) || !all.Allow(now()) {
			collateralBusy(w)
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			c.answer(w, r, needs)
		default:
			collateralBusy(w)
		}
	})
}

func collateralBusy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	problem.Write(w, http.StatusTooManyRequests, "too many requests for collateral", "Intel's service is asked at a bounded rate", "wait a few seconds, or fetch it yourself: teapot quote collateral")
}

func (c Collateral) answer(w http.ResponseWriter, r *http.Request, n dcap.Needs) {
	ctx, cancel := context.WithTimeout(r.Context(), collateralWait)
	defer cancel()
	found, err := c.Source.For(ctx, n)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	raw, err := found.MarshalJSON()
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw) // the reader is gone; nothing to tell it
}

// fail keeps the address of the service, which is the operator's affair, out of the answer.
func (c Collateral) fail(w http.ResponseWriter, r *http.Request, err error) {
	c.Logger.InfoContext(r.Context(), "no collateral for a reader", "error", err)
	if answered, ok := errors.AsType[*pcs.StatusError](err); ok && answered.Status == http.StatusNotFound {
		problem.Write(w, http.StatusNotFound, "no such platform", "Intel's service knows no platform of this kind", "check where the quote comes from")
		return
	}
	problem.Write(w, http.StatusBadGateway, "no collateral", "Intel's service gave this server no usable documents about this platform", "fetch them where it can be reached: teapot quote collateral FILE -o collateral.json")
}

func collateralNeeds(r *http.Request) (n dcap.Needs, err error) {
	query := r.URL.Query()
	switch tee := query.Get("tee"); tee {
	case "tdx":
		n.TEE = dcap.TDX
	case "sgx":
		n.TEE = dcap.SGX
	default:
		return n, errors.New("tee is sgx or tdx")
	}
	if n.CA = query.Get("ca"); n.CA != dcap.PlatformCA && n.CA != dcap.ProcessorCA {
		return n, errors.New("ca is platform or processor")
	}
	digits := query.Get("fmspc")
	if len(digits) != 2*len(n.FMSPC) {
		return n, errors.New("fmspc is 12 hex digits")
	}
	if _, err := hex.Decode(n.FMSPC[:], []byte(digits)); err != nil {
		return n, errors.New("fmspc is 12 hex digits")
	}
	return n, nil
}
