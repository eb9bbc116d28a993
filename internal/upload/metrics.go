package upload

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	underWayDesc = prometheus.NewDesc("itemcast_uploads_under_way", "Uploads that this node receives.", nil, nil)
	uploadsDesc  = prometheus.NewDesc("itemcast_uploads_total",
		"Uploads on this node by outcome: done, failed (while it was received), refused (nonce or quota), or dead (left by "+
			"another node).", []string{"outcome"}, nil)
	bytesDesc = prometheus.NewDesc("itemcast_upload_bytes_total",
		"Bytes of files in uploads that have ended on this node.", nil, nil)
)

// metrics counts what this node has done.
type metrics struct{ done, failed, refused, dead, bytes atomic.Int64 }

func newMetrics() *metrics { return &metrics{} }

// Describe makes the service a prometheus.Collector.
func (s *Service) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{underWayDesc, uploadsDesc, bytesDesc} {
		out <- desc
	}
}

// Collect reports the metrics.
func (s *Service) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(underWayDesc, prometheus.GaugeValue, float64(len(s.tracked())))
	m := s.metrics
	for _, one := range []struct {
		outcome string
		count   *atomic.Int64
	}{{"done", &m.done}, {"failed", &m.failed}, {"refused", &m.refused}, {"dead", &m.dead}} {
		out <- prometheus.MustNewConstMetric(uploadsDesc, prometheus.CounterValue, float64(one.count.Load()), one.outcome)
	}
	out <- prometheus.MustNewConstMetric(bytesDesc, prometheus.CounterValue, float64(m.bytes.Load()))
}
