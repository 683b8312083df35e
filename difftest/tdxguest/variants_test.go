package tdxguest_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/difftest/tdxguest"
)

// variant changes what the simulator makes. words is part of go-tdx-guest's own reason where it refuses what Intel's
// algorithm completes on; "" means that both must agree.
type variant struct {
	name   string
	accept bool // our verdict
	words  string
	change func(s *scene)
}

type scene struct {
	td       pki.TDReport
	info     pki.TCBInfo
	identity pki.Identity
	auth     []byte
}

var variants = []variant{
	{"as it is", true, "", func(*scene) {}},
	{"no auth data", true, "", func(s *scene) { s.auth = nil }},
	{"long auth data", true, "", func(s *scene) { s.auth = make([]byte, 3000) }},
	{"without a module version", true, "", func(s *scene) { s.td.TEETCBSVN = [16]byte{5, 0, 5} }},
	{"platform out of date", false, "", func(s *scene) { s.td.TEETCBSVN = [16]byte{5, 1, 4} }},
	{"module out of date", false, "", func(s *scene) { s.td.TEETCBSVN = [16]byte{4, 1, 5} }},
	{"platform revoked", false, "", func(s *scene) { s.info.Levels[0].Status = "Revoked" }},
	{"QE out of date", false, "", func(s *scene) { s.identity.Levels[0].Status = "OutOfDate" }},
	{"module signer", false, "", func(s *scene) { s.td.MRSignerSeam[0] = 1 }},
	{"QE signer", false, "", func(s *scene) { s.identity.MRSigner[0] ^= 1 }},
	{"TCB info expired", false, "", func(s *scene) { s.info.Next = now.Add(-time.Minute) }},
	// go-tdx-guest looks its module up as TDX_0a; Intel writes TDX_0A.
	{"module id with a letter", true, "TDX_0a", func(s *scene) { s.td.TEETCBSVN[1], s.info.ModuleIdentities[0].ID = 10, "TDX_0A" }},
	// It takes the levels in the order of the file; Intel sorts them.
	{"levels unsorted", true, "OutOfDate", func(s *scene) { s.info.Levels[0], s.info.Levels[1] = s.info.Levels[1], s.info.Levels[0] }},
	// It compares FMSPC as text.
	{"FMSPC in capitals", true, "FMSPC", func(s *scene) { s.info.UpperCase = true }},
}

func TestVariants(t *testing.T) {
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{5}, 32), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) { v.compare(t, a) })
	}
}

func (v variant) compare(t *testing.T, a *pki.Authority) {
	issued := now.Add(-time.Hour)
	s := &scene{
		td: pki.TDReport{TEETCBSVN: [16]byte{5, 1, 5}}, info: a.TCBInfo(pki.TDX, issued), identity: a.Identity(pki.TDX, issued),
		auth: []byte{1, 2, 3},
	}
	v.change(s)
	d, err := a.Documents(pki.TDX, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SignDocuments(&d, s.info.JSON(), s.identity.JSON()); err != nil {
		t.Fatal(err)
	}
	qe, err := pki.NewQE(a.PCK.Key, pki.RandomKey(), a.TDQEReport(), s.auth)
	if err != nil {
		t.Fatal(err)
	}
	quote, err := a.Quote(pki.Spec{Version: 4, TEE: pki.TDX, Body: s.td.Bytes10(), QE: qe})
	if err != nil {
		t.Fatal(err)
	}
	c, err := dcap.ParseCollateral(d.JSON())
	if err != nil {
		t.Fatal(err)
	}
	var verifier dcap.Verifier
	r, err := verifier.Verify(quote, c, dcap.Options{Root: a.RootDER(), At: now})
	if err != nil || r.Accepted != v.accept {
		t.Errorf("we say accepted=%v (%s %s), %v", r.Accepted, r.Status, r.Class, err)
	}
	theirs := tdxguest.Verify(quote, c, a.RootDER(), now)
	switch {
	case v.words == "" && (theirs == nil) != v.accept:
		t.Errorf("go-tdx-guest differs: %v", theirs)
	case v.words != "" && (theirs == nil || !strings.Contains(theirs.Error(), v.words)):
		t.Errorf("go-tdx-guest no longer differs as known: %v", theirs)
	}
}
