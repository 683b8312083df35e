//go:build browser

package browsertest

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/server"
	"github.com/teapot-tee/teapot/web"
)

// pcsOf stands in for the client of Intel's service: it has the documents of one platform, as the corpus keeps them.
type pcsOf struct {
	t     *testing.T
	c     corpusCase
	asked chan dcap.Needs
}

func (p *pcsOf) For(_ context.Context, n dcap.Needs) (*dcap.Collateral, error) {
	p.asked <- n
	return dcap.ParseCollateral(read(p.t, shared(p.t, "corpus", "dcap", p.c.Dir, "collateral.json")))
}

// host serves the pages as a binary does, with that source of collateral; spoil may change what passes.
func (p *pcsOf) host(spoil func([]byte) []byte) string {
	routes := http.NewServeMux()
	server.Collateral{Source: p, Logger: slog.New(slog.DiscardHandler)}.Register(routes)
	pages, err := web.Handler(web.Options{Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		routes.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(spoil(answer.Body.Bytes()))
	})})
	if err != nil {
		p.t.Fatal(err)
	}
	s := httptest.NewServer(pages)
	p.t.Cleanup(s.Close)
	return s.URL
}

// A bare genuine quote is judged: the server of the page gets Intel's documents by FMSPC, and the page checks them.
func TestBareQuoteIsJudgedWithCollateralFromTheServer(t *testing.T) {
	c := corpus(t, "OK", false)
	quote := read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin"))
	p := &pcsOf{t, c, make(chan dcap.Needs, 8)}
	b := newTab(t)
	b.open(p.host(func(body []byte) []byte { return body }) + "/explorer")
	b.judgeAt(c.Now)
	b.fill("#input", hex.EncodeToString(quote))
	b.click("#check")
	b.judged()
	if hardware, tcb := b.outcome("hardware"), b.outcome("tcb"); hardware != "passed" || tcb != "passed" {
		t.Errorf("hardware %s, TCB %s: %s", hardware, tcb, b.text("tp-chain"))
	}
	q, err := dcap.Parse(quote)
	if err != nil {
		t.Fatal(err)
	}
	want, err := q.Needs(nil)
	if err != nil || len(p.asked) != 1 {
		t.Fatalf("the server was asked %d times, not once (%v)", len(p.asked), err)
	}
	if got := <-p.asked; got != want {
		t.Errorf("the server was asked for %+v, not %+v", got, want)
	}
	if got := b.text("#collateral"); !strings.Contains(got, strings.ToUpper(hex.EncodeToString(want.FMSPC[:]))) {
		t.Errorf("the page says: %s", got)
	}
	b.shots("explorer-fetched")
	b.axe("explorer with fetched collateral")
	b.clean()
}

// The server is a mere pipe: what it changes is noticed.
func TestForgedCollateralFromTheServerIsNoticed(t *testing.T) {
	c := corpus(t, "OUT_OF_DATE", false)
	quote := read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin"))
	p := &pcsOf{t, c, make(chan dcap.Needs, 8)}
	b := newTab(t)
	b.open(p.host(func(body []byte) []byte { return []byte(strings.ReplaceAll(string(body), "OutOfDate", "UpToDate")) }) + "/explorer")
	b.judgeAt(c.Now)
	b.fill("#input", hex.EncodeToString(quote))
	b.click("#check")
	b.judged()
	if got := b.outcome("tcb"); got != "failed" {
		t.Errorf("TCB reads %s although the server rewrote Intel's document: %s", got, b.text("tp-chain"))
	}
	b.clean()
}

// Where nothing can be fetched the quote is explained, nothing is judged, and the page says what to do: served, and from a file.
func TestBareQuoteWithoutCollateral(t *testing.T) {
	c := corpus(t, "OK", false)
	quote := hex.EncodeToString(read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin")))
	file := filepath.Join(t.TempDir(), "explorer.html")
	page, err := web.SingleFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	for from, address := range map[string]string{"served": site(t) + "/explorer", "a file": "file://" + file} {
		b := newTab(t)
		b.open(address)
		b.fill("#input", quote)
		b.click("#check")
		b.wait(`document.querySelector("tp-chain .verdict[data-tier=none]")`, 15*time.Second)
		if got := b.text("tp-chain .verdict"); !strings.Contains(got, "teapot quote collateral") {
			t.Errorf("%s: the page says: %s", from, got)
		}
		if got := b.text("#collateral"); (got != "") != (from == "served") {
			t.Errorf("%s: about fetching the page says %q", from, got)
		}
		if b.text("tr[data-field=report_data] code") == "" {
			t.Errorf("%s: the quote is not explained", from)
		}
		b.clean("502")
	}
}
