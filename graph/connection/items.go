// Package connection holds the Relay connections that carry more than their generated form could.
package connection

import (
	"itemcast/graph/internal/model"
	"itemcast/internal/item"
)

// Items is a page of items. Filter is what it was asked with, for a count that is only made when it is asked for.
type Items struct {
	Edges        []*model.ItemEdge
	PageInfo     *model.PageInfo
	ChangeCursor string
	Filter       item.Filter
}

// Nodes are the edges' items.
func (c *Items) Nodes() []*item.Item {
	nodes := make([]*item.Item, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}
