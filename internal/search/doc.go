// Package search makes the words by which items are found. The same function, Split, makes the words of texts and of
// searches, so that both sides agree; Postgres only compares them.
//
//	Index ──String──▶ tsvector, stored with the item ─┐
//	                                                  ├─▶ Postgres, or Query.Match: the same answer
//	Query ──String──▶ tsquery ────────────────────────┘
//
// A word is a run of letters, marks and digits, in lower case and without accents: Löwenthal is lowenthal. Everything
// else separates words: funny.cat.mp4 is three. Scripts that are written without spaces (Chinese, Japanese, Thai …)
// have no such runs; each pair of neighbouring characters is a word, and so is the last character of a run.
//
// Cost is linear in the text's length, whatever the text is. The limits of a tsvector (1 MB, words of 2 kB, 256 places
// for each, the last at 16,383) shorten what is indexed, and never refuse a text: beyond them words are still found,
// but not as parts of phrases.
//
// The package must not know items; its callers say which texts belong to a name, and which to tags.
package search
