// Package connection holds the Relay connections that carry more than their generated form could.
package connection

import "itemcast/internal/item"

// Items is a page of items. Filter is what it was asked with, for a count that is only made when it is asked for.
type Items struct {
	Edges        []*Edge
	Page         item.Page
	ChangeCursor string
	Filter       item.Filter
}

// Edge is an item at its position, which is only spelled out when it is asked for.
type Edge struct {
	Node   *item.Item
	Listed item.Listed
}

// Cursor is the position.
func (e *Edge) Cursor() string { return e.Listed.Cursor() }

// Nodes are the edges' items.
func (c *Items) Nodes() []*item.Item {
	nodes := make([]*item.Item, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}
