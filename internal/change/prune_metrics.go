package change

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"itemcast/internal/change/internal/store"
)

// scrapeTimeout limits the queries of a scrape. If the database does not answer, the scrape succeeds without the
// gauges.
const scrapeTimeout = 2 * time.Second

var (
	logBytesDesc = prometheus.NewDesc("itemcast_log_bytes",
		"Size of the change log's tables and indexes in bytes.", nil, nil)
	logChangesDesc = prometheus.NewDesc("itemcast_log_changes",
		"Number of changes in the log.", nil, nil)
	logAgeDesc = prometheus.NewDesc("itemcast_log_oldest_change_seconds",
		"Age of the oldest change in the log.", nil, nil)
	logPartitionsDesc = prometheus.NewDesc("itemcast_log_partitions",
		"Number of partitions of the log, including those created in advance.", nil, nil)
	logDroppedDesc = prometheus.NewDesc("itemcast_log_dropped_changes_total",
		"Changes that this node has dropped from the log.", nil, nil)
	consumerLagDesc = prometheus.NewDesc("itemcast_consumer_lag_changes",
		"Changes that a durable consumer has not handled yet.", []string{"consumer"}, nil)
)

// Describe implements prometheus.Collector.
func (p *Pruner) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		logBytesDesc, logChangesDesc, logAgeDesc, logPartitionsDesc, logDroppedDesc, consumerLagDesc,
	} {
		out <- desc
	}
}

// Collect implements prometheus.Collector. It queries the database.
func (p *Pruner) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(logDroppedDesc, prometheus.CounterValue, float64(p.dropped.Load()))
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	q := store.New(p.pool)
	if row, err := q.RetentionBounds(ctx); err == nil {
		gauge(logChangesDesc, float64(row.Head-row.Floor))
	}
	size, count := int64(0), 0
	for _, table := range []string{"item_change", "item_position"} {
		partitions, err := q.LogPartitions(ctx, table)
		if err != nil {
			return
		}
		for _, part := range partitions {
			size += part.Bytes
			count++
		}
	}
	gauge(logBytesDesc, float64(size))
	gauge(logPartitionsDesc, float64(count))
	if oldest, err := q.OldestChange(ctx); err == nil {
		gauge(logAgeDesc, time.Since(oldest).Seconds())
	}
	lags, err := q.ConsumerLags(ctx)
	if err != nil {
		return
	}
	for _, c := range lags {
		gauge(consumerLagDesc, float64(c.Lag), c.Consumer)
	}
}
