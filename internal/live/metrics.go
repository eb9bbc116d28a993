package live

import "github.com/prometheus/client_golang/prometheus"

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("itemcast_live_"+name, help, nil, nil)
}

var (
	connectionsDesc = describe("connections", "Open WebSockets and event streams on this node.")
	streamsDesc     = describe("streams", "Distinct subscriptions on this node, each filtered and rendered once.")
	followersDesc   = describe("followers", "Subscribers on this node.")
	behindDesc      = describe("followers_behind",
		"Subscribers that read the log themselves, because they are slow or have just resumed.")
	cacheDesc    = describe("cache_bytes", "Rendered messages in memory, for subscribers that are a little behind.")
	renderedDesc = describe("messages_rendered_total", "Messages rendered by distinct subscriptions.")
)

// Describe makes the hub a prometheus.Collector.
func (h *Hub) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		connectionsDesc, streamsDesc, followersDesc, behindDesc, cacheDesc, renderedDesc,
	} {
		out <- desc
	}
}

// Collect reports the metrics.
func (h *Hub) Collect(out chan<- prometheus.Metric) {
	connections, streams, followers := h.count()
	gauge := func(desc *prometheus.Desc, value float64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
	gauge(connectionsDesc, float64(connections))
	gauge(streamsDesc, float64(streams))
	gauge(followersDesc, float64(followers))
	gauge(behindDesc, float64(h.behind.Load()))
	gauge(cacheDesc, float64(h.bytes.Load()))
	out <- prometheus.MustNewConstMetric(renderedDesc, prometheus.CounterValue, float64(h.rendered.Load()))
}

func (h *Hub) count() (connections, streams, followers int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.connections {
		connections += n
	}
	for _, s := range h.streams {
		followers += s.followers
	}
	return connections, len(h.streams), followers
}
