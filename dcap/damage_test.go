package dcap_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// full says that the long form of a test was asked for: every bit instead of one per byte.
func full() bool { return os.Getenv("TEAPOT_FULL") != "" }

// good is a quote that Intel's algorithm completes on.
type good struct {
	name       string
	quote      []byte
	collateral *dcap.Collateral
	options    dcap.Options
}

// goodQuotes are Intel's own where the corpus is there (one per version and TEE), and simulated ones of every body type.
func goodQuotes(t *testing.T) []good {
	t.Helper()
	a := authority(t)
	var out []good
	for name, quote := range simulated(t) {
		tee := pki.TDX
		if name[:3] == "sgx" {
			tee = pki.SGX
		}
		raw, err := a.Collateral(tee, simNow)
		if err != nil {
			t.Fatal(err)
		}
		c, err := dcap.ParseCollateral(raw)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, good{name, quote, c, dcap.Options{Root: a.RootDER(), At: simNow}})
	}
	return append(out, realQuotes(t)...)
}

func realQuotes(t *testing.T) []good {
	if _, err := os.Stat(sharedCorpus()); err != nil {
		t.Log("no corpus: only simulated quotes")
		return nil
	}
	dir := corpus(t)
	var cases []realCase
	readJSON(t, &cases, dir, "real.json")
	var out []good
	seen := map[string]bool{}
	for _, c := range cases {
		kind := c.Case[:8]
		if seen[kind] || c.IntelQVL == "NOT_SUPPORTED" {
			continue
		}
		seen[kind] = true
		quote, collateral := load(t, filepath.Join(dir, c.Dir))
		out = append(out, good{c.Case, quote, collateral, dcap.Options{At: time.Unix(c.Now, 0)}})
	}
	return out
}

// mayChange says that no signature covers the byte and nothing can be hidden in it: trailing bytes and PEM white space.
func mayChange(q *dcap.Quote, quote []byte, at int) bool {
	if at >= len(quote)-q.Trailing {
		return true
	}
	first := bytes.Index(quote, []byte("-----BEGIN"))
	return first >= 0 && at > first && slices.Contains([]byte(" \t\r\n"), quote[at])
}

// TestEveryBitCounts flips single bits of real quotes: one per byte, all with TEAPOT_FULL.
func TestEveryBitCounts(t *testing.T) {
	for _, g := range goodQuotes(t) {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			var v dcap.Verifier
			want, err := v.Verify(g.quote, g.collateral, g.options)
			if err != nil || want.Status == dcap.StatusNone {
				t.Fatal(err, failures(want))
			}
			damaged := bytes.Clone(g.quote)
			for at := range g.quote {
				for bit := range 8 {
					if !full() && bit != at%8 || mayChange(want.Quote, g.quote, at) {
						continue
					}
					damaged[at] ^= 1 << bit
					r, err := v.Verify(damaged, g.collateral, g.options)
					if err != nil || r.Status != dcap.StatusNone || r.Accepted {
						t.Errorf("bit %d of byte %d flipped: status %q, %v", bit, at, r.Status, err)
					}
					damaged[at] ^= 1 << bit
				}
			}
		})
	}
}

// TestEveryTruncationIsRejected cuts quotes at every length.
func TestEveryTruncationIsRejected(t *testing.T) {
	for _, g := range goodQuotes(t) {
		q, err := dcap.Parse(g.quote)
		if err != nil {
			t.Fatal(err)
		}
		whole := len(g.quote) - q.Trailing
		for n := range whole {
			if _, err := dcap.Parse(g.quote[:n]); err == nil {
				t.Errorf("%s: cut to %d of %d bytes still parses", g.name, n, whole)
			}
		}
		var v dcap.Verifier
		for _, extra := range [][]byte{{0}, make([]byte, 8000), []byte("anything")} {
			r, err := v.Verify(append(bytes.Clone(g.quote[:whole]), extra...), g.collateral, g.options)
			if err != nil || r.Status == dcap.StatusNone || r.Quote.Trailing != len(extra) {
				t.Errorf("%s: %d trailing bytes are not tolerated", g.name, len(extra))
			}
		}
	}
}

// TestEveryByteOfCollateralCounts changes collateral byte by byte: nothing but white space and letter case of hex and
// the part that is not used may change without a failure.
func TestEveryByteOfCollateralCounts(t *testing.T) {
	g := goodQuotes(t)[0]
	parts := map[string]*string{}
	c := *g.collateral
	parts["root_ca_crl"], parts["pck_crl"], parts["tcb_info"], parts["tcb_info_signature"] = &c.RootCACRL, &c.PCKCRL, &c.TCBInfo, &c.TCBInfoSignature
	parts["qe_identity"], parts["qe_identity_signature"] = &c.QEIdentity, &c.QEIdentitySignature
	parts["tcb_info_issuer_chain"], parts["qe_identity_issuer_chain"] = &c.TCBInfoIssuerChain, &c.QEIdentityIssuerChain
	for name, part := range parts {
		original := *part
		step := 7
		if full() {
			step = 1
		}
		for at := 0; at < len(original); at += step {
			if original[at] == '\n' {
				continue
			}
			b := []byte(original)
			b[at] ^= 1
			*part = string(b)
			var v dcap.Verifier
			r, err := v.Verify(g.quote, &c, g.options)
			if err != nil || r.Status != dcap.StatusNone {
				t.Errorf("%s: byte %d changed from %q: status %q, %v", name, at, original[at], r.Status, err)
			}
		}
		*part = original
	}
}
