package dcap_test

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// seeds are quotes of every kind, and real ones where the corpus is there.
func seeds(f *testing.F) (quotes [][]byte, collateral []string) {
	for _, q := range simulated(f) {
		quotes = append(quotes, q)
	}
	for _, tee := range []pki.TEE{pki.SGX, pki.TDX} {
		c, err := authority(f).Collateral(tee, simNow)
		if err != nil {
			f.Fatal(err)
		}
		collateral = append(collateral, string(c))
	}
	dirs, _ := filepath.Glob(filepath.Join(sharedCorpus(), "synthetic", "*"))
	for i, dir := range dirs {
		if i%20 != 0 {
			continue
		}
		if q, err := os.ReadFile(filepath.Join(dir, "quote.bin")); err == nil {
			quotes = append(quotes, q)
		}
	}
	return quotes, collateral
}

// FuzzParse: no panic, and what parses has the quote's bytes in it and nowhere else.
func FuzzParse(f *testing.F) {
	quotes, _ := seeds(f)
	for _, q := range quotes {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := dcap.Describe(raw)
		at := 0
		for _, field := range d.Fields {
			if field.Offset != at {
				t.Fatalf("%s at %d, expected %d", field.Name, field.Offset, at)
			}
			at += len(field.Value)
		}
		q, err := dcap.Parse(raw)
		if err != nil {
			return
		}
		if at != len(raw) {
			t.Fatalf("fields cover %d of %d bytes", at, len(raw))
		}
		if q.Trailing > len(raw) || !bytes.HasPrefix(raw, q.Signed()) || !bytes.Contains(raw, q.CertData) {
			t.Fatal("the parts are not the quote's")
		}
	})
}

// FuzzVerify: damaged quotes are never accepted, whatever the damage.
func FuzzVerify(f *testing.F) {
	a := authority(f)
	quote, err := a.QuoteTDX(pki.TDReport{})
	if err != nil {
		f.Fatal(err)
	}
	raw, err := a.Collateral(pki.TDX, simNow)
	if err != nil {
		f.Fatal(err)
	}
	collateral, err := dcap.ParseCollateral(raw)
	if err != nil {
		f.Fatal(err)
	}
	var v dcap.Verifier
	f.Add(uint16(100), []byte{1})
	f.Add(uint16(1252), []byte{4, 0})
	f.Fuzz(func(t *testing.T, at uint16, with []byte) {
		damaged := bytes.Clone(quote)
		copy(damaged[min(int(at), len(damaged)):], with)
		r, err := v.Verify(damaged, collateral, dcap.Options{Root: a.RootDER(), At: simNow})
		if err != nil {
			t.Fatal(err)
		}
		same := r.Quote != nil && bytes.HasPrefix(quote, r.Quote.Signed())
		if r.Accepted && !same {
			t.Fatal("accepted other content")
		}
	})
}

// FuzzCollateral: no panic; what is read is written and read again the same; nothing verifies that was not signed.
func FuzzCollateral(f *testing.F) {
	quotes, collateral := seeds(f)
	for _, c := range collateral {
		f.Add([]byte(c))
	}
	f.Add([]byte(`{"tcb_info":"\u00e9\ud83e\uded6\/","pck_crl":null}`))
	var v dcap.Verifier
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := dcap.ParseCollateral(raw)
		if err != nil {
			return
		}
		again, err := c.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if d, err := dcap.ParseCollateral(again); err != nil || *d != *c {
			t.Fatalf("round trip: %v", err)
		}
		if r, err := v.Verify(quotes[0], c, dcap.Options{At: simNow}); err != nil || r.Accepted {
			t.Fatal("accepted under Intel's root", err)
		}
	})
}

// fuzzPart feeds one part of otherwise good collateral.
func fuzzPart(f *testing.F, part func(c *dcap.Collateral) *string, more ...string) {
	g := authority(f)
	raw, err := g.Collateral(pki.TDX, simNow)
	if err != nil {
		f.Fatal(err)
	}
	quote, err := g.QuoteTDX(pki.TDReport{})
	if err != nil {
		f.Fatal(err)
	}
	good, err := dcap.ParseCollateral(raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(*part(good))
	for _, s := range more {
		f.Add(s)
	}
	var v dcap.Verifier
	f.Fuzz(func(t *testing.T, text string) {
		c := *good
		*part(&c) = text
		r, err := v.Verify(quote, &c, dcap.Options{Root: g.RootDER(), At: simNow.Add(time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		if r.Accepted && text != *part(good) && !sameContent(text, *part(good)) {
			t.Fatalf("accepted %q", text)
		}
	})
}

// sameContent says that two texts carry the same DER, in hex, DER or PEM.
func sameContent(a, b string) bool {
	return bytes.Equal(content(a), content(b))
}

func content(s string) []byte {
	if raw, err := hex.DecodeString(string(bytes.Trim([]byte(s), " \t\r\n\x00"))); err == nil {
		return raw
	}
	var out []byte
	rest := []byte(s)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		out = append(out, block.Bytes...)
	}
	if out == nil {
		return []byte(s)
	}
	return out
}

func FuzzCRL(f *testing.F) {
	fuzzPart(f, func(c *dcap.Collateral) *string { return &c.PCKCRL }, "0\x82\x01\x00", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
}

func FuzzTCBInfo(f *testing.F) {
	fuzzPart(f, func(c *dcap.Collateral) *string { return &c.TCBInfo }, `{"id":"TDX","version":3,"tcbLevels":[]}`)
}

func FuzzIdentity(f *testing.F) {
	fuzzPart(f, func(c *dcap.Collateral) *string { return &c.QEIdentity }, `{"id":"QE","tcbLevels":[{"tcb":{}}]}`)
}

func FuzzCertificates(f *testing.F) {
	fuzzPart(f, func(c *dcap.Collateral) *string { return &c.TCBInfoIssuerChain }, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
}
