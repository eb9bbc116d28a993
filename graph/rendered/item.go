// Package rendered answers GraphQL selections of an item from its document.
//
// A document already holds what a selection asks for, in JSON: where nothing but fields of the document is selected, the answer is put
// together from the document's own bytes, and nothing is decoded, resolved or encoded. gqlgen asks first (Select, SelectAll: the generated
// code is given these calls by tools/gqlgen), after it has parsed, validated and measured the operation, and goes on field by field
// where the answer is nil: where a field has a resolver, or is deferred.
//
// Invariant: what is written is what gqlgen would have written, as JSON values.
package rendered

import (
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/item"
)

// Item is an item as it was rendered. The fields behind *item.Item are there after Decode.
type Item struct {
	Document []byte

	decode sync.Once // two fields of one operation may show the same item
	err    error
	*item.Item
}

// New holds a document, as item.Encode made it.
func New(document []byte) *Item { return &Item{Document: document} }

// Decode makes the fields available. It may be called concurrently, and again.
func (i *Item) Decode() error {
	i.decode.Do(func() { i.Item, i.err = item.Decode(i.Document) })
	return i.err
}

// Select answers a selection of an item's fields; nil when gqlgen must, for which the item is then decoded.
func Select(op *graphql.OperationContext, selected ast.SelectionSet, i *Item) graphql.Marshaler {
	if p := itemShape.plan(op, selected); p != nil {
		if answer, ok := p.append(nil, i.Document); ok {
			return raw(answer)
		}
	}
	if err := i.Decode(); err != nil {
		panic(err) // in a resolver's place: gqlgen has it logged, and answers with INTERNAL
	}
	return nil
}

// SelectAll answers a selection of the fields of each item of a list; nil when gqlgen must.
func SelectAll(op *graphql.OperationContext, selected ast.SelectionSet, items []*Item) graphql.Marshaler {
	p := itemShape.plan(op, selected)
	if p == nil {
		return nil
	}
	size := 0
	for _, i := range items {
		size += len(i.Document) // an answer is mostly shorter than its document
	}
	answer := append(make([]byte, 0, size), '[')
	for n, i := range items {
		if n > 0 {
			answer = append(answer, ',')
		}
		var ok bool
		if answer, ok = p.append(answer, i.Document); !ok {
			return nil
		}
	}
	return raw(append(answer, ']'))
}
