package sending

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"itemcast/internal/hook/egress"
)

// All benchmarks post the same 2 KiB to an endpoint in this process. On two processors, they use as many goroutines
// as a hook has slots.

const parallel = 32 // times the processors

func BenchmarkSend(b *testing.B) {
	url := drain(b)
	sender := New(loopback.Transport(egress.Options{IdlePerHost: 2 * parallel}), Config{})
	m := message(url)
	m.Body = bytes.Repeat([]byte("x"), 2<<10)
	run(b, func() bool { return sender.Send(b.Context(), m).Fault == "" })
}

// BenchmarkBarePost is the baseline of Send: the shortest loop that posts with keep-alive.
func BenchmarkBarePost(b *testing.B) { benchmarkBare(b, http.Header{"Content-Type": contentType}) }

// BenchmarkBarePost_WithOurHeaders measures the cost of carrying the headers, at both ends, without making them.
func BenchmarkBarePost_WithOurHeaders(b *testing.B) {
	header, err := New(nil, Config{}).header(message(""))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkBare(b, header)
}

func benchmarkBare(b *testing.B, header http.Header) {
	b.Helper()
	url := drain(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * parallel}}
	body := bytes.Repeat([]byte("x"), 2<<10)
	run(b, func() bool {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return false
		}
		request.Header = header
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		_, err = io.Copy(io.Discard, response.Body)
		return response.Body.Close() == nil && err == nil
	})
}

func run(b *testing.B, post func() bool) {
	b.Helper()
	b.ReportAllocs()
	b.SetParallelism(parallel)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !post() {
				b.Error("a post failed")
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

// BenchmarkPrepare measures the part of Send before net/http.
func BenchmarkPrepare(b *testing.B) {
	sender := New(nil, Config{})
	m := message("http://127.0.0.1")
	m.Body = bytes.Repeat([]byte("x"), 2<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sender.header(m); err != nil {
			b.Fatal(err)
		}
	}
}

// drain starts an endpoint that accepts everything.
func drain(b *testing.B) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(server.Close)
	return server.URL
}
