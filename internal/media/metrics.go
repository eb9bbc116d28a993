package media

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"itemcast/internal/media/internal/store"
)

// metricsTimeout is how long a scrape waits for the storage.
const metricsTimeout = 2 * time.Second

var (
	upDesc    = prometheus.NewDesc("itemcast_storage_up", "1 if the storage for files answers, else 0.", nil, nil)
	filesDesc = prometheus.NewDesc("itemcast_storage_files",
		"Files of all nodes at the last sweep, at most an hour ago, by state.", []string{"state"}, nil)
	bytesDesc = prometheus.NewDesc("itemcast_storage_bytes",
		"Bytes of the files of all nodes at the last sweep, by state.", []string{"state"}, nil)
	writesDesc = prometheus.NewDesc("itemcast_storage_writes_total",
		"Files that were sent to this node and stored, or refused for their length or checksum.", []string{"outcome"}, nil)
	failuresDesc = prometheus.NewDesc("itemcast_storage_failures_total",
		"Writes and reads of the storage that have failed on this node.", nil, nil)
	writtenDesc = prometheus.NewDesc("itemcast_storage_written_bytes_total",
		"Bytes of the files that this node has stored.", nil, nil)
	deletedDesc = prometheus.NewDesc("itemcast_storage_deleted_files_total",
		"Files whose bytes this node has deleted.", nil, nil)
)

// metrics counts what this node has done.
type metrics struct {
	mu                         sync.Mutex
	writes, refusals, failures int
	written                    int64
	deletes                    int
	counts                     []store.CountFilesRow // of the last sweep
}

func (m *metrics) stored(size int64) {
	m.change(func() {
		m.writes++
		m.written += size
	})
}

// refused counts a file that its client did not send as promised.
func (m *metrics) refused() { m.change(func() { m.refusals++ }) }

// failed counts a failure of the storage.
func (m *metrics) failed() { m.change(func() { m.failures++ }) }

func (m *metrics) deleted(files int) { m.change(func() { m.deletes += files }) }

func (m *metrics) count(counts []store.CountFilesRow) { m.change(func() { m.counts = counts }) }

func (m *metrics) change(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// Describe makes the service a prometheus.Collector.
func (s *Service) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		upDesc, filesDesc, bytesDesc, writesDesc, failuresDesc, writtenDesc, deletedDesc,
	} {
		out <- desc
	}
}

// Collect reports the metrics.
func (s *Service) Collect(out chan<- prometheus.Metric) {
	s.metrics.collect(out)
	if s.bucket == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), metricsTimeout)
	defer cancel()
	up := 1.0
	if s.Check(ctx) != nil {
		up = 0
	}
	out <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up)
}

func (m *metrics) collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, row := range m.counts {
		out <- prometheus.MustNewConstMetric(filesDesc, prometheus.GaugeValue, float64(row.Files), row.State)
		out <- prometheus.MustNewConstMetric(bytesDesc, prometheus.GaugeValue, float64(row.Bytes), row.State)
	}
	for outcome, n := range map[string]int{"stored": m.writes, "refused": m.refusals} {
		out <- prometheus.MustNewConstMetric(writesDesc, prometheus.CounterValue, float64(n), outcome)
	}
	out <- prometheus.MustNewConstMetric(failuresDesc, prometheus.CounterValue, float64(m.failures))
	out <- prometheus.MustNewConstMetric(writtenDesc, prometheus.CounterValue, float64(m.written))
	out <- prometheus.MustNewConstMetric(deletedDesc, prometheus.CounterValue, float64(m.deletes))
}
