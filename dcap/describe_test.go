package dcap_test

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/dcap"
)

// The quote printed in the guide "Eliza in TEE": simulator output that people will paste.
func TestDescribeTheGuidesQuote(t *testing.T) {
	page := readFile(t, corpus(t), "..", "..", "documents", "eliza-in-tee.zh.md")
	text := regexp.MustCompile("0x0400[0-9a-f]+").Find(page)
	raw, err := hex.DecodeString(string(text[2:]))
	if err != nil {
		t.Fatal(err)
	}
	d := dcap.Describe(raw)
	if d.Quote != nil {
		t.Error("called a quote")
	}
	want := map[string]string{
		"report.tee_tcb_svn": "92c5df29f539f103eb60ab6780c56953", "report.td_attributes": "168f69823883ed8b", "report.xfam": "a590c45491469094",
		"report.mr_td": "6b7b07918ded5b89dc663c70941f8704978b91a24b54d88038c30d20d14d85016a524f7176c7a7cff7233a2a4405da9c",
		"report.rtmr3": "eb7110de9956d7b4b1a3397f843b39d92df4caac263f5083e34e3161e4d6686c46c3239e7fbf61241a159d8da6dc6bd1",
	}
	at := 0
	for _, f := range d.Fields {
		if f.Offset != at {
			t.Errorf("%s at %d, expected %d", f.Name, f.Offset, at)
		}
		at = f.Offset + len(f.Value)
		if w, ok := want[f.Name]; ok && hex.EncodeToString(f.Value) != w {
			t.Errorf("%s is %x", f.Name, f.Value)
		}
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("fields missing: %v", want)
	}
	all := strings.Join(d.Problems, "\n")
	for _, reason := range []string{"attestation key type is 3", "vendor id is not Intel's", "not a point on the curve", "has type 0 where", "0x92bd", "does not vouch", "no PCK certificate chain"} {
		if !strings.Contains(all, reason) {
			t.Errorf("reason %q missing in\n%s", reason, all)
		}
	}
}

func TestDescribeCoversEveryByteOfGoodQuotes(t *testing.T) {
	for name, raw := range simulated(t) {
		d := dcap.Describe(raw)
		if len(d.Problems) > 0 || d.Quote == nil {
			t.Errorf("%s: problems %v", name, d.Problems)
		}
		var whole []byte
		for _, f := range d.Fields {
			whole = append(whole, f.Value...)
		}
		if !bytes.Equal(whole, raw) {
			t.Errorf("%s: fields cover %d bytes of %d", name, len(whole), len(raw))
		}
	}
}
