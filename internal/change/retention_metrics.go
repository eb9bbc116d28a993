package change

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"itemcast/internal/change/internal/store"
)

// scrapePatience is how long a scrape waits for the database. One that is away leaves the gauges out, and no scrape fails for it.
const scrapePatience = 2 * time.Second

var (
	logBytesDesc   = prometheus.NewDesc("itemcast_log_bytes", "The change log's tables and indexes.", nil, nil)
	logKeptDesc    = prometheus.NewDesc("itemcast_log_changes", "Changes that the log keeps.", nil, nil)
	logAgeDesc     = prometheus.NewDesc("itemcast_log_oldest_change_seconds", "Age of the oldest change that the log keeps.", nil, nil)
	logPartsDesc   = prometheus.NewDesc("itemcast_log_partitions", "Partitions of the log, those made ahead among them.", nil, nil)
	logDroppedDesc = prometheus.NewDesc("itemcast_log_dropped_changes_total", "Changes that this node has let go.", nil, nil)
	lagDesc        = prometheus.NewDesc("itemcast_consumer_lag_changes", "Changes that a durable consumer has not handled.", []string{"consumer"}, nil)
)

// Describe makes the keeper a prometheus.Collector.
func (k *Pruner) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{logBytesDesc, logKeptDesc, logAgeDesc, logPartsDesc, logDroppedDesc, lagDesc} {
		out <- desc
	}
}

// Collect measures, for operators.
func (k *Pruner) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(logDroppedDesc, prometheus.CounterValue, float64(k.dropped.Load()))
	ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
	defer cancel()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	q := store.New(k.pool)
	if row, err := q.Retainable(ctx); err == nil {
		gauge(logKeptDesc, float64(row.Head-row.Floor))
	}
	size, count := int64(0), 0
	for _, table := range []string{"item_change", "item_position"} {
		partitions, err := q.LogPartitions(ctx, table)
		if err != nil {
			return
		}
		for _, p := range partitions {
			size += p.Bytes
			count++
		}
	}
	gauge(logBytesDesc, float64(size))
	gauge(logPartsDesc, float64(count))
	if oldest, err := q.OldestChange(ctx); err == nil {
		gauge(logAgeDesc, time.Since(oldest).Seconds())
	}
	lags, err := q.ConsumerLags(ctx)
	if err != nil {
		return
	}
	for _, c := range lags {
		gauge(lagDesc, float64(c.Lag), c.Consumer)
	}
}
