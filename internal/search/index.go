package search

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of a tsvector (Postgres: tsearch/ts_type.h).
const (
	maxBytes  = 900_000 // of 1 MiB; the rest is reserve, because the exact size is hard to predict
	maxPlace  = 16_383
	maxPlaces = 255 // of one word
	gap       = 8   // places between two texts, which no phrase spans
)

// Field is the part of an item that a text belongs to.
type Field int

// The fields. A search ranks what it finds by them.
const (
	Name Field = iota
	Tag
	Other
)

// The marks of words of the name, and of the name and the tags. Words have no such characters.
const (
	inName = "="
	inTag  = "#"
)

// Index holds the words of an item with their places. The zero value is empty. It is not safe for concurrent use while
// texts are added.
type Index struct {
	places map[string][]uint16
	order  []string // of first occurrence
	next   int      // the place of the next text's first word
	bytes  int
}

// Add adds a text of a field.
func (x *Index) Add(field Field, text string) {
	words := Split(text)
	for _, w := range words {
		place := uint16(min(x.next+w.Place+1, maxPlace))
		x.add(w.Text, place)
		if field == Name {
			x.add(inName+w.Text, place)
		}
		if field == Name || field == Tag {
			x.add(inTag+w.Text, place)
		}
	}
	if len(words) > 0 {
		x.next += words[len(words)-1].Place + gap
	}
}

func (x *Index) add(word string, place uint16) {
	if x.places == nil {
		x.places = make(map[string][]uint16)
	}
	places, known := x.places[word]
	switch {
	case x.bytes > maxBytes, len(places) >= maxPlaces, len(places) > 0 && places[len(places)-1] == place:
		return
	case !known:
		x.order = append(x.order, word)
		x.bytes += len(word) + 8
	}
	x.places[word] = append(places, place)
	x.bytes += 2
}

// String returns the index as the text of a tsvector.
func (x *Index) String() string {
	var out strings.Builder
	out.Grow(2 * x.bytes)
	var number [5]byte
	for n, word := range x.order {
		if n > 0 {
			out.WriteByte(' ')
		}
		writeQuoted(&out, word)
		for n, place := range x.places[word] {
			out.WriteByte(":,"[min(n, 1)])
			out.Write(strconv.AppendUint(number[:0], uint64(place), 10))
		}
	}
	return out.String()
}

// find returns the places of a word, or of all words that begin with it.
func (x *Index) find(word string, isBeginning bool) []uint16 {
	if !isBeginning {
		return x.places[word]
	}
	var found []uint16
	for _, other := range x.order {
		if strings.HasPrefix(other, word) {
			found = append(found, x.places[other]...)
		}
	}
	slices.Sort(found)
	return found
}

func writeQuoted(out *strings.Builder, word string) {
	out.WriteByte('\'')
	out.WriteString(word) // has letters, marks and digits only
	out.WriteByte('\'')
}
