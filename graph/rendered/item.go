// Package rendered answers GraphQL selections of an item from its document.
//
// A document is JSON and has every plain field. If a selection has only such fields, the answer is assembled from the
// document's bytes: nothing is decoded, resolved or encoded. The generated code calls Select and SelectAll (inserted by
// tools/gqlgen) after gqlgen has parsed, validated and measured the operation. If they return nil, because a field has
// a resolver, gqlgen resolves the selection field by field.
//
// Invariant: the answer has the same JSON values as gqlgen's would have.
package rendered

import (
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/item"
)

// Item is a rendered item. The fields of *item.Item are available after Decode.
type Item struct {
	Document []byte

	decode sync.Once // two fields of an operation may have the same item
	err    error
	*item.Item
}

// New makes an item of a document that item.Encode wrote.
func New(document []byte) *Item { return &Item{Document: document} }

// Decode makes the fields available. It may be called concurrently and repeatedly.
func (i *Item) Decode() error {
	i.decode.Do(func() { i.Item, i.err = item.Decode(i.Document) })
	return i.err
}

// Select answers a selection of an item's fields. If it returns nil, the item is decoded and gqlgen must answer.
func Select(op *graphql.OperationContext, selected ast.SelectionSet, i *Item) graphql.Marshaler {
	if p := itemShape.plan(op, selected); p != nil {
		if answer, ok := p.append(nil, i.Document); ok {
			return raw(answer)
		}
	}
	if err := i.Decode(); err != nil {
		panic(err) // as in a resolver: gqlgen logs it and answers INTERNAL
	}
	return nil
}

// SelectAll answers a selection of each item of a list; nil means that gqlgen must.
func SelectAll(op *graphql.OperationContext, selected ast.SelectionSet, items []*Item) graphql.Marshaler {
	p := itemShape.plan(op, selected)
	if p == nil {
		return nil
	}
	size := 0
	for _, i := range items {
		size += len(i.Document) // most answers are shorter than their documents
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
