// Package text has the texts of the pages, in English and German.
//
// A key names a text: the page, a dot, and what it is for. Both files have every key, with the same placeholders: {0}
// is the first argument. A text that depends on a number has two keys, ending in .one and .other. Texts have no HTML.
//
// Numbers, sizes and times are written here too, because languages differ in them. Ids, years and revisions are texts
// for every language: do not pass them through Number.
//
// It must not know a page.
package text

import (
	_ "embed" // the texts
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

//go:embed en.json
var english []byte

//go:embed de.json
var german []byte

// Language has the texts of one language. It is immutable.
type Language struct {
	Tag     string // BCP 47, for the attribute lang
	texts   map[string]string
	decimal string // separates the fraction of a number
	group   string // separates thousands
	date    string // see time.Format
}

// Languages returns the languages of the pages. The first is that of browsers which prefer none of them.
var Languages = sync.OnceValue(func() []*Language {
	return []*Language{
		read("en", english, Language{decimal: ".", group: ",", date: "2 Jan 2006, 15:04"}),
		read("de", german, Language{decimal: ",", group: ".", date: "02.01.2006, 15:04"}),
	}
})

func read(tag string, texts []byte, l Language) *Language {
	l.Tag = tag
	if err := json.Unmarshal(texts, &l.texts); err != nil {
		panic(fmt.Sprintf("text: %s.json: %v", tag, err)) // the files are embedded, and a test reads them
	}
	return &l
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.German})

// For returns the language that fits an Accept-Language header best.
func For(acceptLanguage string) *Language {
	_, index := language.MatchStrings(matcher, acceptLanguage) // the tag has extensions of the request, the index does not
	return Languages()[index]
}

// Has reports whether there is a text for a key.
func (l *Language) Has(key string) bool { _, ok := l.texts[key]; return ok }

// Get returns the text of a key, with its arguments. An unknown key is returned as it is; tests find it.
func (l *Language) Get(key string, arguments ...any) string {
	found, ok := l.texts[key]
	if !ok {
		return key
	}
	if len(arguments) == 0 {
		return found
	}
	pairs := make([]string, 0, 2*len(arguments))
	for n, argument := range arguments {
		pairs = append(pairs, "{"+strconv.Itoa(n)+"}", fmt.Sprint(argument))
	}
	return strings.NewReplacer(pairs...).Replace(found)
}

// Count returns the text of a key for a number of things, which is its first argument.
func (l *Language) Count(key string, n int, more ...any) string {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return l.Get(key+form, append([]any{l.Number(int64(n))}, more...)...)
}

// Or returns the text of a key, or the fallback if there is none: for values that a later version may add.
func (l *Language) Or(key, fallback string) string {
	if l.Has(key) {
		return l.Get(key)
	}
	return fallback
}
