// Package connection has the Relay connections that carry more than a generated type could.
package connection

import (
	"itemcast/graph/rendered"
	"itemcast/internal/item"
)

// Node is a pointer to an object of a type that implements the interface Node of the schema.
type Node any

// Items is a page of items. Filter is the list's filter: the total is counted only if the query asks for it.
type Items struct {
	Page   item.Page
	Filter item.Filter
}

// ChangeCursor returns the end of the change log when the page was read.
func (c *Items) ChangeCursor() string { return c.Page.ChangeCursor }

// Nodes returns the page's items.
func (c *Items) Nodes() []*rendered.Item {
	all := make([]rendered.Item, len(c.Page.Items))
	nodes := make([]*rendered.Item, len(all))
	for n, listed := range c.Page.Items {
		all[n].Document = listed.Document
		nodes[n] = &all[n]
	}
	return nodes
}

// Edges returns the page's items with their page tokens.
func (c *Items) Edges() []*Edge {
	edges := make([]*Edge, len(c.Page.Items))
	for n, node := range c.Nodes() {
		edges[n] = &Edge{Node: node, listed: c.Page.Items[n]}
	}
	return edges
}

// Edge is an item with its page token, which is encoded only if the query asks for it.
type Edge struct {
	Node   *rendered.Item
	listed item.Listed
}

// Cursor returns the page token.
func (e *Edge) Cursor() string { return e.listed.PageToken() }
