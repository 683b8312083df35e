package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
)

// A bytes.Buffer never fails, so neither do these two.

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, 6)
	return finish(w, b, &out)
}

func brotlied(b []byte) []byte {
	var out bytes.Buffer
	return finish(brotli.NewWriterLevel(&out, 9), b, &out)
}

func finish(w io.WriteCloser, b []byte, out *bytes.Buffer) []byte {
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// pick chooses the content coding for an Accept-Encoding header: br, gzip or "" (as it is).
// A coding refused with q=0 is not used (RFC 9110 section 12.5.3).
func pick(accept string) string {
	var offered []string
	for part := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if q, ok := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q="); ok && strings.Trim(q, "0.") == "" {
			continue
		}
		offered = append(offered, strings.ToLower(strings.TrimSpace(name)))
	}
	for _, coding := range []string{"br", "gzip"} {
		if slices.Contains(offered, coding) {
			return coding
		}
	}
	return ""
}
