package search

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Query is a search: words that all must occur, "a phrase" whose words must follow each other, alternatives between
// which stands or, and -word for what must not occur. The last word is a beginning, unless it is quoted. Words that
// are written without a space between them, such as in a file name, are a phrase.
//
// A Query is immutable.
type Query struct {
	alternatives [][]term
}

// term is a phrase, often of one word.
type term struct {
	words    []word
	excluded bool
}

type word struct {
	text        string
	place       int
	isBeginning bool
}

// Parse reads a search. A search without words finds nothing.
func Parse(text string) Query {
	var q Query
	var terms []term
	var last *term // of the text, unless it is quoted or excluded
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		var t term
		var phrase string
		var quoted bool
		if t.excluded = len(rest) > 1 && rest[0] == '-' && !startsWithSpace(rest[1:]); t.excluded {
			rest = rest[1:]
		}
		phrase, quoted, rest = nextPhrase(rest)
		if !quoted && !t.excluded && strings.EqualFold(phrase, "or") && len(terms) > 0 && strings.TrimSpace(rest) != "" {
			q.alternatives = append(q.alternatives, terms)
			terms, last = nil, nil
			continue
		}
		if t.words = wordsOf(phrase); len(t.words) == 0 {
			continue
		}
		terms = append(terms, t)
		if last = nil; !quoted && !t.excluded {
			last = &terms[len(terms)-1]
		}
	}
	if last != nil {
		last.words[len(last.words)-1].isBeginning = true
	}
	if len(terms) > 0 {
		q.alternatives = append(q.alternatives, terms)
	}
	return q
}

func startsWithSpace(text string) bool { return strings.TrimLeftFunc(text, unicode.IsSpace) != text }

// nextPhrase cuts off the next quoted phrase, or the text up to a space or a quote.
func nextPhrase(text string) (phrase string, quoted bool, rest string) {
	if after, ok := strings.CutPrefix(text, `"`); ok {
		phrase, rest, _ = strings.Cut(after, `"`)
		return phrase, true, rest
	}
	end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '"' })
	if end < 0 {
		end = len(text)
	}
	return text[:end], false, text[end:]
}

// wordsOf returns the words that an item must have for a phrase. The pairs of a run of a script without spaces cover
// its last character. A single character is the beginning of a pair.
func wordsOf(phrase string) []word {
	var words []word
	split := Split(phrase)
	for n, w := range split {
		afterPair := n > 0 && split[n-1].kind == pair
		if w.kind == tail && afterPair {
			continue
		}
		words = append(words, word{text: w.Text, place: w.Place, isBeginning: w.kind == tail})
	}
	return words
}

// IsEmpty reports whether the search has no words, so that it finds nothing.
func (q Query) IsEmpty() bool { return len(q.alternatives) == 0 }

// String returns the query as the text of a tsquery.
func (q Query) String() string { return q.text("", true) }

// Ranks returns queries for the items that the search finds, the most relevant first: those with the words in the name,
// with the words' beginnings in the name, with the words in the name or the tags, and anywhere. The last is q itself;
// each finds what the one before it finds, too.
func (q Query) Ranks() []string {
	ranks := []string{q.text(inName, false), q.text(inName, true), q.text(inTag, true), q.String()}
	return slices.Compact(ranks)
}

func (q Query) text(mark string, beginnings bool) string {
	var out strings.Builder
	for n, terms := range q.alternatives {
		if n > 0 {
			out.WriteString(" | ")
		}
		for n, t := range terms {
			if n > 0 {
				out.WriteString(" & ")
			}
			t.write(&out, mark, beginnings)
		}
	}
	return out.String()
}

func (t term) write(out *strings.Builder, mark string, beginnings bool) {
	if t.excluded {
		out.WriteString("!(")
		mark = "" // anywhere
	} else if first := t.words[0]; len(t.words) == 1 && first.isBeginning && (beginnings || first.isSingle()) {
		out.WriteByte('(')
	}
	for n, w := range t.words {
		if n > 0 {
			out.WriteString(" <" + strconv.Itoa(w.place-t.words[n-1].place) + "> ")
		}
		writeQuoted(out, mark+w.text)
		if w.isBeginning && (beginnings || w.isSingle()) {
			out.WriteString(":*")
		}
	}
	if t.excluded {
		out.WriteByte(')')
		return
	}
	// A beginning is said twice, because Postgres assumes that at least 1 in 200 items has it, and would walk through
	// all items in the list's order to find a page of them. The whole word tells it that a word is frequent.
	if last := t.words[len(t.words)-1]; last.isBeginning && (beginnings || last.isSingle()) {
		out.WriteString(" & ")
		writeQuoted(out, mark+last.text)
		out.WriteString(":*")
		if len(t.words) == 1 {
			out.WriteString(" | ")
			writeQuoted(out, mark+last.text)
			out.WriteByte(')')
		}
	}
}

// isSingle reports whether the word is a single character of a script without spaces, which is always a beginning.
func (w word) isSingle() bool {
	r := []rune(w.text)
	return len(r) == 1 && isDense(r[0])
}

// Match reports whether an item has the words. Postgres gives the same answer.
func (q Query) Match(x *Index) bool {
	return slices.ContainsFunc(q.alternatives, func(terms []term) bool {
		return !slices.ContainsFunc(terms, func(t term) bool { return t.occurs(x) == t.excluded })
	})
}

func (t term) occurs(x *Index) bool {
	var ends []uint16 // the places of the last word so far
	for n, w := range t.words {
		found := x.find(w.text, w.isBeginning)
		if n > 0 {
			distance := w.place - t.words[n-1].place
			found = slices.DeleteFunc(slices.Clone(found), func(place uint16) bool {
				return int(place) < distance || !slices.Contains(ends, place-uint16(distance))
			})
		}
		if ends = found; len(ends) == 0 {
			return false
		}
	}
	return true
}
