package live

import "github.com/prometheus/client_golang/prometheus"

var (
	connectionsDesc = prometheus.NewDesc("itemcast_live_connections", "WebSockets and event streams that users keep open on this node.", nil, nil)
	streamsDesc     = prometheus.NewDesc("itemcast_live_streams", "Distinct subscriptions on this node, each filtered and rendered once.", nil, nil)
	followersDesc   = prometheus.NewDesc("itemcast_live_followers", "Subscribers on this node.", nil, nil)
	behindDesc      = prometheus.NewDesc("itemcast_live_followers_behind", "Subscribers that read the log on their own, because they are slow or have just resumed.", nil, nil)
	keptDesc        = prometheus.NewDesc("itemcast_live_kept_bytes", "Rendered messages that are kept for subscribers that are a little behind.", nil, nil)
	renderedDesc    = prometheus.NewDesc("itemcast_live_messages_rendered_total", "Messages rendered by distinct subscriptions.", nil, nil)
)

// Describe makes the hub a prometheus.Collector.
func (h *Hub) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{connectionsDesc, streamsDesc, followersDesc, behindDesc, keptDesc, renderedDesc} {
		out <- desc
	}
}

// Collect counts, for operators.
func (h *Hub) Collect(out chan<- prometheus.Metric) {
	h.mu.Lock()
	connections, streams, followers := 0, len(h.streams), 0
	for _, n := range h.connections {
		connections += n
	}
	for _, s := range h.streams {
		followers += s.followers
	}
	h.mu.Unlock()
	gauge := func(desc *prometheus.Desc, value float64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
	gauge(connectionsDesc, float64(connections))
	gauge(streamsDesc, float64(streams))
	gauge(followersDesc, float64(followers))
	gauge(behindDesc, float64(h.behind.Load()))
	gauge(keptDesc, float64(h.bytes.Load()))
	out <- prometheus.MustNewConstMetric(renderedDesc, prometheus.CounterValue, float64(h.rendered.Load()))
}
