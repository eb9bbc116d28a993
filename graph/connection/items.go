// Package connection holds the Relay connections that carry more than their generated form could.
package connection

import (
	"itemcast/graph/rendered"
	"itemcast/internal/item"
)

// Items is a page of items. Filter is what it was asked with, for a count that is only made when it is asked for.
type Items struct {
	Page   item.Page
	Filter item.Filter
}

// ChangeCursor is the page's place in the log of changes.
func (c *Items) ChangeCursor() string { return c.Page.ChangeCursor }

// Nodes are the page's items.
func (c *Items) Nodes() []*rendered.Item {
	all := make([]rendered.Item, len(c.Page.Items))
	nodes := make([]*rendered.Item, len(all))
	for n, listed := range c.Page.Items {
		all[n].Document = listed.Document
		nodes[n] = &all[n]
	}
	return nodes
}

// Edges are the page's items at their positions.
func (c *Items) Edges() []*Edge {
	edges := make([]*Edge, len(c.Page.Items))
	for n, node := range c.Nodes() {
		edges[n] = &Edge{Node: node, listed: c.Page.Items[n]}
	}
	return edges
}

// Edge is an item at its position, which is only spelled out when it is asked for.
type Edge struct {
	Node   *rendered.Item
	listed item.Listed
}

// Cursor is the position.
func (e *Edge) Cursor() string { return e.listed.Cursor() }
