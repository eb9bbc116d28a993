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

	usual = 48 // words of an item with a sentence as its description, with marks; memory is allocated for so many
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
	words  []indexed // in the order of first occurrence
	byText map[marked]int
	places []place
	next   int // the place of the next text's first word
	bytes  int
}

// marked is a word with its mark; "": it has none.
type marked struct{ mark, text string }

// indexed is a word and the list of its places.
type indexed struct {
	marked
	first, last int // of the list, in Index.places
	count       int
}

// place is an element of the list of a word's places.
type place struct {
	number uint16
	next   int // in Index.places, if the word has more places
}

// Add adds a text of a field.
func (x *Index) Add(field Field, text string) {
	words := Split(text)
	if x.byText == nil {
		x.byText, x.words, x.places = make(map[marked]int, usual), make([]indexed, 0, usual), make([]place, 0, usual)
	}
	for _, w := range words {
		number := uint16(min(x.next+w.Place+1, maxPlace))
		x.add(marked{"", w.Text}, number)
		if field == Name {
			x.add(marked{inName, w.Text}, number)
		}
		if field == Name || field == Tag {
			x.add(marked{inTag, w.Text}, number)
		}
	}
	if len(words) > 0 {
		x.next += words[len(words)-1].Place + gap
	}
}

func (x *Index) add(word marked, number uint16) {
	n, known := x.byText[word]
	if x.bytes > maxBytes || known && (x.words[n].count >= maxPlaces || x.places[x.words[n].last].number == number) {
		return
	}
	at := len(x.places)
	x.places = append(x.places, place{number: number})
	x.bytes += 2
	if known {
		x.places[x.words[n].last].next = at
		x.words[n].last = at
		x.words[n].count++
		return
	}
	x.byText[word] = len(x.words)
	x.words = append(x.words, indexed{marked: word, first: at, last: at, count: 1})
	x.bytes += len(word.mark) + len(word.text) + 8
}

// placesOf returns the places of a word of the index, in order.
func (x *Index) placesOf(w indexed) []uint16 {
	numbers := make([]uint16, 0, w.count)
	for at := w.first; len(numbers) < w.count; at = x.places[at].next {
		numbers = append(numbers, x.places[at].number)
	}
	return numbers
}

// String returns the index as the text of a tsvector.
func (x *Index) String() string {
	out := make([]byte, 0, 2*x.bytes)
	for n, w := range x.words {
		if n > 0 {
			out = append(out, ' ')
		}
		out = append(out, '\'')
		out = append(out, w.mark...)
		out = append(out, w.text...)
		out = append(out, '\'')
		separator := byte(':')
		for at, more := w.first, w.count; more > 0; at, more = x.places[at].next, more-1 {
			out = strconv.AppendUint(append(out, separator), uint64(x.places[at].number), 10)
			separator = ','
		}
	}
	return string(out)
}

// find returns the places of a word, or of all words that begin with it.
func (x *Index) find(text string, isBeginning bool) []uint16 {
	if !isBeginning {
		n, known := x.byText[marked{"", text}]
		if !known {
			return nil
		}
		return x.placesOf(x.words[n])
	}
	var found []uint16
	for _, w := range x.words {
		if w.mark == "" && strings.HasPrefix(w.text, text) {
			found = append(found, x.placesOf(w)...)
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
