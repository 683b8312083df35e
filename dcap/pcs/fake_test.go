package pcs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap/pcs"
)

var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// fake answers like Intel's PCS or, with pccs, like a PCCS: hex lists, upper-case FMSPC, own status codes.
type fake struct {
	*httptest.Server
	authority *pki.Authority
	pccs      bool
	plus      bool // send + in headers as it is

	mu       sync.Mutex
	issued   time.Time
	failures []failure // served first, one per request
	requests []string
	spoil    func(d *pki.Documents)
	number   int  // tcbEvaluationDataNumber; 0 keeps the authority's
	forge    bool // what is signed is not what is sent
	routed   bool // numbers 17 (standard) and 18 (early) are served, lower ones are retired
}

type failure struct {
	status     int
	retryAfter string
}

func newFake(t *testing.T, pccs bool) *fake {
	t.Helper()
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{9}, 32), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{authority: a, pccs: pccs, issued: now}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) documents(tee pki.TEE) pki.Documents {
	d, err := f.authority.Documents(tee, f.issued)
	if err != nil {
		panic(err)
	}
	if f.number != 0 {
		at := f.issued.Add(-time.Hour)
		info, id := f.authority.TCBInfo(tee, at), f.authority.Identity(tee, at)
		info.Evaluation, id.Evaluation = f.number, f.number
		if err := f.authority.SignDocuments(&d, info.JSON(), id.JSON()); err != nil {
			panic(err)
		}
	}
	if f.spoil != nil {
		f.spoil(&d)
	}
	return d
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r.URL.String())
	w.Header().Set("Request-ID", "fake-1")
	if len(f.failures) > 0 {
		next := f.failures[0]
		f.failures = f.failures[1:]
		if next.retryAfter != "" {
			w.Header().Set("Retry-After", next.retryAfter)
		}
		w.WriteHeader(next.status)
		return
	}
	tee := pki.SGX
	if strings.HasPrefix(r.URL.Path, "/tdx/") {
		tee = pki.TDX
	}
	status := f.route(r.URL.Query())
	d := f.documents(tee)
	_, route, _ := strings.Cut(r.URL.Path, "/certification/v4/")
	switch {
	case status != 0 && (route == "tcb" || route == "qe/identity"):
		w.WriteHeader(status)
	case route == "tcbevaluationdatanumbers" && f.routed:
		f.numbers(w, r, tee, d.TCBInfoIssuerChain)
	case route == "tcb" && r.URL.Query().Get("fmspc") != fmt.Sprintf("%x", f.authority.Platform().FMSPC):
		w.WriteHeader(http.StatusNotFound)
	case route == "tcb":
		f.answer(w, r, "TCB-Info-Issuer-Chain", d.TCBInfoIssuerChain, []byte(`{"tcbInfo":`+d.TCBInfo+`,"signature":"`+d.TCBInfoSignature+`"}`))
	case route == "qe/identity":
		f.answer(w, r, "SGX-Enclave-Identity-Issuer-Chain", d.QEIdentityIssuerChain, []byte(`{"enclaveIdentity":`+d.QEIdentity+`,"signature":"`+d.QEIdentitySignature+`"}`))
	case route == "pckcrl" && r.URL.Query().Get("ca") == "platform":
		f.answer(w, r, "SGX-PCK-CRL-Issuer-Chain", d.PCKCRLIssuerChain, f.list(d.PCKCRL))
	case route == "rootcacrl" && f.pccs, r.URL.Path == "/IntelSGXRootCA.der":
		f.answer(w, r, "", "", f.list(d.RootCACRL))
	case route == "pckcert" && f.pccs && len(r.URL.Query().Get("qeid")) == 32:
		f.answer(w, r, "SGX-PCK-Certificate-Issuer-Chain", d.PCKCRLIssuerChain, f.authority.PCK.PEM())
	case route == "pckcert" && f.pccs:
		w.WriteHeader(461)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// route picks the data number as PCS does: by number, by update, standard by default.
func (f *fake) route(q url.Values) (status int) {
	if !f.routed {
		return 0
	}
	switch number, update := q.Get("tcbEvaluationDataNumber"), q.Get("update"); {
	case number != "" && update != "":
		return http.StatusBadRequest
	case number == "17" || number == "" && (update == "" || update == "standard"):
		f.number = 17
	case number == "18" || update == "early":
		f.number = 18
	case number < "17":
		return http.StatusGone
	default:
		return http.StatusNotFound
	}
	return 0
}

func (f *fake) numbers(w http.ResponseWriter, r *http.Request, tee pki.TEE, chain string) {
	id := "SGX"
	if tee == pki.TDX {
		id = "TDX"
	}
	document := fmt.Sprintf(`{"id":%q,"version":1,"issueDate":%q,"nextUpdate":%q,"news":1,"tcbEvalNumbers":[`+
		`{"tcbEvaluationDataNumber":18,"tcbRecoveryEventDate":"2026-05-12T00:00:00Z","tcbDate":"2026-05-13T00:00:00Z"},`+
		`{"tcbEvaluationDataNumber":17,"tcbRecoveryEventDate":"2025-11-11T00:00:00Z","tcbDate":"2025-11-12T00:00:00Z"}]}`,
		id, now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
	signature, err := pki.Sign(f.authority.TCBSigner.Key, []byte(document))
	if err != nil {
		panic(err)
	}
	if f.forge {
		document = strings.Replace(document, ":18,", ":99,", 1)
	}
	f.answer(w, r, "TCB-Evaluation-Data-Numbers-Issuer-Chain", chain, []byte(`{"tcbEvaluationDataNumbers":`+document+`,"signature":"`+hex.EncodeToString(signature[:])+`"}`))
}

// list is DER from a PCS and hex text from a PCCS.
func (f *fake) list(text string) []byte {
	if f.pccs {
		return []byte(text)
	}
	der, err := hex.DecodeString(text)
	if err != nil {
		return []byte(text)
	}
	return der
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request, header, chain string, body []byte) {
	if header != "" {
		value := strings.ReplaceAll(url.QueryEscape(chain), "+", "%20")
		if f.plus {
			value = strings.ReplaceAll(value, "%2B", "+")
		}
		w.Header().Set(header, value)
	}
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(body)
	_ = z.Close()
}

// client asks the fake; waits are recorded, not waited.
func (f *fake) client(dir string, waits *[]time.Duration) *pcs.Client {
	c := &pcs.Client{
		BaseURL: f.URL, Dir: dir, Root: f.authority.RootDER(), Now: func() time.Time { return now },
		Sleep: sleeper(waits),
	}
	if !f.pccs {
		c.RootCRLURL = f.URL + "/IntelSGXRootCA.der"
	}
	return c
}
