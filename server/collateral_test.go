package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/pcs"
)

// askedFor remembers what it was asked for and answers with err, or with a document that says so.
type askedFor struct {
	err   error
	needs []dcap.Needs
}

func (a *askedFor) For(_ context.Context, n dcap.Needs) (*dcap.Collateral, error) {
	a.needs = append(a.needs, n)
	return &dcap.Collateral{TCBInfo: `{"is":"Intel's"}`}, a.err
}

func collateral(source CollateralSource) http.Handler {
	mux := http.NewServeMux()
	at := time.Unix(1000, 0)
	Collateral{Source: source, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return at }}.Register(mux)
	return mux
}

func fetch(h http.Handler, query, from string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/v1/collateral?"+query, nil)
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const anFMSPC = "tee=tdx&fmspc=00806f050000&ca=platform"

func TestCollateralIsPassedOn(t *testing.T) {
	source := &askedFor{}
	w := fetch(collateral(source), anFMSPC, "127.0.0.1:1")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Intel's") || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	want := dcap.Needs{TEE: dcap.TDX, FMSPC: [6]byte{0x00, 0x80, 0x6f, 0x05}, CA: dcap.PlatformCA}
	if len(source.needs) != 1 || source.needs[0] != want {
		t.Errorf("asked for %+v", source.needs)
	}
}

// Nothing but a kind of platform can be asked for: no path, no host, no other digits.
func TestCollateralIsNoProxy(t *testing.T) {
	source := &askedFor{}
	h := collateral(source)
	for _, query := range []string{
		"", "tee=tdx", "tee=tdx&ca=platform", "tee=tdx&ca=platform&fmspc=", "tee=tdx&ca=platform&fmspc=00806f05000", "tee=tdx&ca=platform&fmspc=00806f0500000",
		"tee=tdx&ca=platform&fmspc=../../../../x", "tee=tdx&ca=platform&fmspc=0080%2f050000", "tee=tdx&ca=http://evil&fmspc=00806f050000",
		"tee=sev&ca=platform&fmspc=00806f050000", "tee=TDX/..&ca=platform&fmspc=00806f050000",
	} {
		if w := fetch(h, query, "127.0.0.1:1"); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
	if len(source.needs) > 0 {
		t.Errorf("bad requests reached the service: %+v", source.needs)
	}
}

// One reader gets a share, all readers together get a bounded number: Intel's service is not hammered through us.
func TestCollateralIsBounded(t *testing.T) {
	source := &askedFor{}
	h := collateral(source)
	for i := range collateralHost + 1 {
		w := fetch(h, anFMSPC, "192.0.2.1:1")
		if want := i < collateralHost; (w.Code == http.StatusOK) != want {
			t.Errorf("request %d of one address: %d", i, w.Code)
		}
	}
	for range 3 * collateralBurst {
		fetch(h, anFMSPC, "127.0.0.1:1")
	}
	if len(source.needs) != collateralBurst {
		t.Errorf("the service was asked %d times, the bound is %d", len(source.needs), collateralBurst)
	}
	if w := fetch(h, anFMSPC, "127.0.0.1:1"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("over the bound: %d %s", w.Code, w.Body)
	}
}

// What goes wrong behind the route is said without the operator's addresses.
func TestCollateralKeepsTheServiceToItself(t *testing.T) {
	secret := "https://pccs.internal:8081"
	for err, want := range map[error]int{
		&pcs.StatusError{URL: secret, Status: http.StatusNotFound}:  http.StatusNotFound,
		&pcs.StatusError{URL: secret, Status: http.StatusForbidden}: http.StatusBadGateway,
		errors.New("dial " + secret):                                http.StatusBadGateway,
	} {
		w := fetch(collateral(&askedFor{err: err}), anFMSPC, "127.0.0.1:1")
		if w.Code != want || strings.Contains(w.Body.String(), "internal") || !strings.Contains(w.Body.String(), `"next"`) {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}
