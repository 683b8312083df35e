package eliza_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkMessages measures POST /{agent}/message over keep-alive with the embedded model: everything logged, durable and
// proven. Targets: p50 ≤ 5 ms, ≥ 1,000 messages/s on two cores.
func BenchmarkMessages(b *testing.B) {
	f := startWith(b, nil)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	url := f.server.URL + "/Tester/message"
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Post(url, "application/json", strings.NewReader(`{"text":"hello there","userId":"u"}`))
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
				b.Errorf("HTTP %d, %v", resp.StatusCode, err)
			}
			resp.Body.Close()
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	client.CloseIdleConnections()
}
