package server

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const readyWait = 2 * time.Second

// Ops returns the operators' handler: liveness, readiness (the database answers), metrics, profiles. It is for the inside only. Head is the
// last position of the change log that this node has read; the parts count what they do themselves.
func Ops(pool *pgxpool.Pool, head func() int64, parts ...prometheus.Collector) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyWait)
		defer cancel()
		if err := pool.Ping(ctx); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry(pool, head, parts), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func registry(pool *pgxpool.Pool, head func() int64, parts []prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("itemcast_feed_position", "Last position of the change log that this node has read.", func() float64 { return float64(head()) })
	gauge("itemcast_db_connections", "Connections of the pool.", func() float64 { return float64(pool.Stat().TotalConns()) })
	gauge("itemcast_db_connections_busy", "Connections of the pool in use.", func() float64 { return float64(pool.Stat().AcquiredConns()) })
	gauge("itemcast_db_connections_max", "Connections that the pool may have.", func() float64 { return float64(pool.Stat().MaxConns()) })
	r.MustRegister(parts...)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
