package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxWord is the length of a word, in characters. What follows is cut off, in texts and in searches alike.
const maxWord = 100

// Word is a word and its place: the number of words before it.
type Word struct {
	Text  string
	Place int
	kind  kind
}

type kind uint8

const (
	whole kind = iota
	pair       // two neighbouring characters of a script without spaces
	tail       // the last character of such a run
)

// Split returns the words of a text in order.
func Split(text string) []Word {
	s := splitter{words: make([]Word, 0, len(text)/6+1)}
	for _, r := range fold(text) {
		switch {
		case isDense(r):
			s.endWord()
			s.dense(r)
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			s.endRun()
			s.letter(r)
		default:
			s.endWord()
			s.endRun()
		}
	}
	s.endWord()
	s.endRun()
	return s.words
}

type splitter struct {
	words  []Word
	place  int
	word   strings.Builder // of letters
	length int             // of the word, in characters
	last   rune            // the last character of a run of a dense script; 0: none
}

func (s *splitter) letter(r rune) {
	if s.length++; s.length <= maxWord {
		s.word.WriteRune(r)
	}
}

func (s *splitter) endWord() {
	if s.length > 0 {
		s.add(s.word.String(), whole)
		s.word.Reset()
		s.length = 0
	}
}

// dense adds the pair of a character with the one before it.
func (s *splitter) dense(r rune) {
	if s.last != 0 {
		s.add(string([]rune{s.last, r}), pair)
	}
	s.last = r
}

func (s *splitter) endRun() {
	if s.last != 0 {
		s.add(string(s.last), tail)
		s.last = 0
	}
}

func (s *splitter) add(text string, k kind) {
	s.words = append(s.words, Word{Text: text, Place: s.place, kind: k})
	s.place++
}

// isDense reports whether a character belongs to a script that is written without spaces between words.
func isDense(r rune) bool {
	return r >= 0x0e00 && (r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai,
		unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

// fold returns a text in lower case, without accents, and with one form of each character (NFKC).
func fold(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	var bare strings.Builder
	bare.Grow(len(text))
	for _, r := range norm.NFKD.String(text) {
		switch {
		case isAccent(r):
		case r < utf8.RuneSelf:
			bare.WriteByte(byte(unicode.ToLower(r)))
		default:
			if plain, ok := plainLetters[r]; ok {
				bare.WriteString(plain)
			} else {
				bare.WriteRune(unicode.ToLower(r))
			}
		}
	}
	return norm.NFC.String(bare.String())
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isAccent reports whether a mark only modifies a letter. The marks of Indic and other scripts are parts of words;
// U+3099 and U+309A turn kana into other sounds.
func isAccent(r rune) bool {
	return r >= 0x0300 && unicode.Is(unicode.Mn, r) && r != 0x3099 && r != 0x309a &&
		(unicode.Is(unicode.Inherited, r) || unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Cyrillic))
}

// plainLetters are the letters that people type without their strokes and ligatures, and that Unicode does not
// decompose.
var plainLetters = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ø': "o", 'Ø': "o", 'ł': "l", 'Ł': "l", 'đ': "d",
	'Đ': "d", 'ð': "d", 'Ð': "d", 'þ': "th", 'Þ': "th", 'ħ': "h", 'Ħ': "h", 'ı': "i", 'ŋ': "n", 'Ŋ': "n", 'ς': "σ",
}
