package receiving

import lru "github.com/hashicorp/golang-lru/v2"

// remembered is how many deliveries and items are kept in mind; the oldest are forgotten.
const remembered = 50_000

// longestKey is what the names of one may have in bytes; whoever sends longer ones is not from Itemcast, and would fill the memory.
const longestKey = 1024

// history knows what came before.
type history struct {
	messages *lru.Cache[string, *message]
	items    *lru.Cache[line, int64] // the highest revision that was accepted
}

type message struct {
	attempts int
	accepted bool
}

// line is a hook's item: each hook has an order of its own. Hooks are told apart by where they post to and how they sign.
type line struct {
	target string
	secret int
	item   string
}

func newHistory() *history {
	messages, _ := lru.New[string, *message](remembered) // fails only without a size
	items, _ := lru.New[line, int64](remembered)
	return &history{messages: messages, items: items}
}

// place says of a delivery what came before it.
func (h *history) place(d *Delivery, secret int) {
	d.Attempt = 1
	if before, ok := h.messages.Get(d.ID); ok {
		d.Attempt, d.Accepted = before.attempts+1, before.accepted
	}
	if highest, ok := h.items.Get(d.line(secret)); ok && highest > d.Revision && d.ordered() && !d.Accepted {
		d.OutOfOrder = highest
	}
}

// record keeps a delivery in mind after it was decided how to answer it.
func (h *history) record(d *Delivery, secret int) {
	if d.ID != "" && len(d.ID) <= longestKey {
		h.messages.Add(d.ID, &message{attempts: d.Attempt, accepted: d.Accepted || d.Answer.Accepted()})
	}
	if !d.ordered() || !d.Answer.Accepted() {
		return
	}
	if highest, ok := h.items.Get(d.line(secret)); !ok || d.Revision > highest {
		h.items.Add(d.line(secret), d.Revision)
	}
}

func (d *Delivery) line(secret int) line {
	return line{target: d.Target, secret: secret, item: d.Item}
}

func (d *Delivery) ordered() bool {
	return d.Item != "" && len(d.Target)+len(d.Item) <= longestKey && d.Revision > 0 && !timeless[d.Trigger]
}
