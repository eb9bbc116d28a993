package receiving

import lru "github.com/hashicorp/golang-lru/v2"

const (
	maxRemembered = 50_000 // deliveries, and items; the oldest are forgotten
	maxKey        = 1024   // bytes; longer ids are not Itemcast's, and would fill the memory
)

// history remembers deliveries, to detect repetitions and wrong order.
type history struct {
	messages  *lru.Cache[string, *message]
	revisions *lru.Cache[group, int64] // the highest that was accepted
}

type message struct {
	attempts int
	accepted bool
}

// group is an item at one hook: deliveries are in order within a group. A hook is recognized by its target and its
// secret.
type group struct {
	target string
	secret int
	item   string
}

func newHistory() *history {
	messages, _ := lru.New[string, *message](maxRemembered) // fails only for a size of 0
	revisions, _ := lru.New[group, int64](maxRemembered)
	return &history{messages: messages, revisions: revisions}
}

// compare sets the fields of a delivery that depend on earlier ones.
func (h *history) compare(d *Delivery, secret int) {
	d.Attempt = 1
	if before, ok := h.messages.Get(d.ID); ok {
		d.Attempt, d.Accepted = before.attempts+1, before.accepted
	}
	if highest, ok := h.revisions.Get(d.group(secret)); ok && highest > d.Revision && d.ordered() && !d.Accepted {
		d.OutOfOrder = highest
	}
}

// record remembers a delivery and its answer.
func (h *history) record(d *Delivery, secret int) {
	if d.ID != "" && len(d.ID) <= maxKey {
		h.messages.Add(d.ID, &message{attempts: d.Attempt, accepted: d.Accepted || d.Answer.Accepted()})
	}
	if !d.ordered() || !d.Answer.Accepted() {
		return
	}
	if highest, ok := h.revisions.Get(d.group(secret)); !ok || d.Revision > highest {
		h.revisions.Add(d.group(secret), d.Revision)
	}
}

func (d *Delivery) group(secret int) group {
	return group{target: d.Target, secret: secret, item: d.Item}
}

func (d *Delivery) ordered() bool {
	isSample := d.Trigger == "test"
	return d.Item != "" && len(d.Target)+len(d.Item) <= maxKey && d.Revision > 0 && !isSample
}
