package web

import (
	"html/template"

	lru "github.com/hashicorp/golang-lru/v2"
)

// partCache has parts of pages that depend on their key alone, such as the form of a filter on the address. A template
// calls an escaper by reflection for each value, so that the 30 values of such a form take as long as reading 50 items.
type partCache struct {
	parts *lru.Cache[partKey, template.HTML]
}

type partKey struct {
	name, language string
	of             string // all that the part depends on beside the language
}

// maxParts is the number of parts that a node keeps, of some 4 kB each.
const maxParts = 512

func newPartCache() partCache { return partCache{newCache[partKey, template.HTML](maxParts)} }

func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](size)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return cache
}

// part returns a part of a page, with the data that make returns.
func (c *call) part(s *screen, name, of string, make func() any) template.HTML {
	key := partKey{name, c.text.Tag, of}
	if known, ok := c.pages.parts.parts.Get(key); ok {
		return known
	}
	part := template.HTML(s.renderPart(c.text, name, make())) // html/template has escaped it
	c.pages.parts.parts.Add(key, part)
	return part
}
