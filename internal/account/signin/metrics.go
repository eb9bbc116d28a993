package signin

import "github.com/prometheus/client_golang/prometheus"

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("itemcast_token_"+name, help, labels, nil)
}

var (
	tokenRequestsDesc = describe("requests_total",
		"Requests and WebSocket operations with a valid access token, on this node.")
	tokenRefusedDesc = describe("refused_total", "Requests whose access token was refused, on this node: unknown (or "+
		"revoked, expired, or of a disabled user), limit (over its requests a minute).", "reason")
	tokensUsedDesc = describe("used", "Access tokens that were used in the last two minutes, on this node.")
)

// Describe makes the service a prometheus.Collector.
func (s *Service) Describe(out chan<- *prometheus.Desc) {
	out <- tokenRequestsDesc
	out <- tokenRefusedDesc
	out <- tokensUsedDesc
}

// Collect reports the metrics.
func (s *Service) Collect(out chan<- prometheus.Metric) {
	requests, overLimit, used := s.meters.count()
	counter := func(desc *prometheus.Desc, value int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
	}
	counter(tokenRequestsDesc, requests)
	counter(tokenRefusedDesc, s.refusedTokens.Load(), "unknown")
	counter(tokenRefusedDesc, overLimit, "limit")
	out <- prometheus.MustNewConstMetric(tokensUsedDesc, prometheus.GaugeValue, float64(used))
}

func (m *meters) count() (requests, overLimit int64, used int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests, m.overLimit, len(m.all)
}
