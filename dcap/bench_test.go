package dcap_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"path/filepath"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/dcap"
)

// benchCase is a TDX quote of FMSPC B0C06F000000 with Intel's own collateral; without the corpus a simulated one.
type benchCase struct {
	quote, collateral []byte
	options           dcap.Options
}

func newBenchCase(b *testing.B) benchCase {
	dir := corpus(b)
	var cases []realCase
	readJSON(b, &cases, dir, "real.json")
	for _, c := range cases {
		if ok, _ := filepath.Match("tdx-v4-b0c06f000000-*", c.Case); ok && c.IntelQVL == "OK" {
			return benchCase{
				readFile(b, dir, c.Dir, "quote.bin"), readFile(b, dir, c.Dir, "collateral.json"),
				dcap.Options{At: time.Unix(c.Now, 0)},
			}
		}
	}
	b.Fatal("no such case in the corpus")
	return benchCase{}
}

func (c benchCase) parse(b *testing.B) *dcap.Collateral {
	p, err := dcap.ParseCollateral(c.collateral)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (c benchCase) verify(b *testing.B, v *dcap.Verifier, p *dcap.Collateral) {
	r, err := v.Verify(c.quote, p, c.options)
	if err != nil || r.Status != dcap.UpToDate {
		b.Fatal(err, r.Status)
	}
}

// BenchmarkFloor is one P-256 verification: the floor is its multiple.
func BenchmarkFloor(b *testing.B) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("floor"))
	signature, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !ecdsa.VerifyASN1(&k.PublicKey, digest[:], signature) {
			b.Fatal("not verified")
		}
	}
}

// BenchmarkVerify measures a verification by what is known already; the number of signatures is in the name.
func BenchmarkVerify(b *testing.B) {
	c := newBenchCase(b)
	b.Run("cold-9", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v dcap.Verifier
			c.verify(b, &v, c.parse(b))
		}
	})
	for _, warm := range []struct {
		name  string
		known dcap.Known
	}{{"new-platform-3", dcap.KnownCollateral}, {"known-platform-2", dcap.KnownPlatform}, {"known-key-1", dcap.KnownKey}} {
		b.Run(warm.name, func(b *testing.B) {
			b.ReportAllocs()
			var v dcap.Verifier
			p := c.parse(b)
			c.verify(b, &v, p)
			for b.Loop() {
				v.ForgetAbove(warm.known)
				c.verify(b, &v, p)
			}
		})
	}
}
