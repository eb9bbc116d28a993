package server

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const readyTimeout = 2 * time.Second

// Ops returns the operators' handler: liveness, readiness (the database answers), metrics and profiles. Do not expose
// it to clients. A node without its storage or the programs that process media is ready all the same, and says so: most
// requests need neither. faults returns what does not work. head returns the last position of the change log that this
// node has read; nil: it reads none. The metrics include those of the collectors.
func Ops(
	pool *pgxpool.Pool, faults func(context.Context) []string, head func() int64, collectors ...prometheus.Collector,
) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := pool.Ping(ctx); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(strings.Join(append([]string{"ok"}, faults(ctx)...), ", but ") + "\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(newRegistry(pool, head, collectors), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func newRegistry(pool *pgxpool.Pool, head func() int64, parts []prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	if head != nil {
		gauge("itemcast_feed_position", "Last position of the change log that this node has read.",
			func() float64 { return float64(head()) })
	}
	gauge("itemcast_db_connections", "Connections in the pool.",
		func() float64 { return float64(pool.Stat().TotalConns()) })
	gauge("itemcast_db_connections_busy", "Connections in the pool that are in use.",
		func() float64 { return float64(pool.Stat().AcquiredConns()) })
	gauge("itemcast_db_connections_max", "Limit of connections in the pool.",
		func() float64 { return float64(pool.Stat().MaxConns()) })
	r.MustRegister(parts...)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
