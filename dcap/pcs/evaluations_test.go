package pcs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/pcs"
)

func numberOf(t *testing.T, c *pcs.Client, quote []byte) uint64 {
	t.Helper()
	return judge(t, c, quote).EvaluationNumber()
}

func TestUpdateAndNumberChooseTheLevels(t *testing.T) {
	f, dir := newFake(t, false), t.TempDir()
	f.routed = true
	quote := f.tdx(t)
	ask := func(update string, number uint64) *pcs.Client {
		c := f.client(dir, nil)
		c.Update, c.Number = update, number
		return c
	}
	if n := numberOf(t, ask("", 0), quote); n != 17 {
		t.Errorf("by default: %d", n)
	}
	if n := numberOf(t, ask(pcs.UpdateStandard, 0), quote); n != 17 {
		t.Errorf("standard: %d", n)
	}
	if n := numberOf(t, ask("", 17), quote); n != 17 {
		t.Errorf("by number: %d", n)
	}
	if n := numberOf(t, ask(pcs.UpdateEarly, 0), quote); n != 18 { // not what is cached for another choice
		t.Errorf("early: %d", n)
	}
	for _, update := range []string{"", pcs.UpdateStandard} { // Intel serves both for months: a look at the early ones is not the end of the others
		if n := numberOf(t, ask(update, 0), quote); n != 17 {
			t.Errorf("%q after early: %d", update, n)
		}
	}
	f.routed, f.number = false, 17
	c := ask(pcs.UpdateEarly, 0)
	c.Now = func() time.Time { return now.Add(25 * time.Hour) } // what is cached is old enough to ask again
	if n := numberOf(t, c, quote); n != 18 {                    // never back: the cached ones stay in use
		t.Errorf("early, served %d", n)
	}
	f.routed = true
	asked := len(f.requests)
	for _, c := range []*pcs.Client{ask(pcs.UpdateEarly, 18), ask("late", 0)} {
		if _, err := c.Collateral(t.Context(), quote); err == nil || len(f.requests) != asked {
			t.Errorf("update %q, number %d: %v after %d requests", c.Update, c.Number, err, len(f.requests)-asked)
		}
	}
}

func TestRetiredNumberNamesTheServedOnes(t *testing.T) {
	f := newFake(t, false)
	f.routed = true
	c := f.client(t.TempDir(), nil)
	c.Number = 12
	_, err := c.Collateral(t.Context(), f.tdx(t))
	var retired *pcs.RetiredError
	if !errors.As(err, &retired) || len(retired.Served) != 2 || retired.Served[0].Number != 18 || !strings.Contains(err.Error(), "serves 18 of 2026-05-12, 17 of 2025-11-11") {
		t.Fatalf("%v", err)
	}
	f.forge = true
	if _, err := c.Collateral(t.Context(), f.tdx(t)); !errors.As(err, &retired) || len(retired.Served) != 0 {
		t.Errorf("a forged list was shown: %v", err)
	}
	if _, err := c.EvaluationNumbers(t.Context(), dcap.TDX); err == nil {
		t.Error("a forged list was accepted")
	}
}

func TestServerThatAnswersAnotherNumber(t *testing.T) {
	f := newFake(t, true)
	f.number = 16
	c := f.client(t.TempDir(), nil)
	c.Number = 17
	if _, err := c.Collateral(t.Context(), f.tdx(t)); err == nil {
		t.Error("number 16 was taken for 17")
	}
}
