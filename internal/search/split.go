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

// Split returns the words of a text in order. They share its memory, or that of its folded form.
func Split(text string) []Word {
	s := splitter{text: fold(text), words: make([]Word, 0, len(text)/4+1)}
	for at, r := range s.text {
		switch {
		case isDense(r):
			s.endWord(at)
			s.dense(at)
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			s.endRun(at)
			s.letter(at)
		default:
			s.endWord(at)
			s.endRun(at)
		}
	}
	s.endWord(len(s.text))
	s.endRun(len(s.text))
	return s.words
}

// splitter cuts words out of a folded text. Places in the text are in bytes.
type splitter struct {
	text  string
	words []Word

	word   int // where the word of letters starts
	length int // of that word, in characters; 0: there is none
	cut    int // where its first maxWord characters end, if it has more

	last  int  // where the last character of a run of a dense script starts
	inRun bool // there is such a run
}

func (s *splitter) letter(at int) {
	switch s.length++; s.length {
	case 1:
		s.word = at
	case maxWord + 1:
		s.cut = at
	}
}

func (s *splitter) endWord(at int) {
	if s.length > maxWord {
		at = s.cut
	}
	if s.length > 0 {
		s.add(s.text[s.word:at], whole)
		s.length = 0
	}
}

// dense adds the pair of a character with the one before it, whose end at is.
func (s *splitter) dense(at int) {
	if s.inRun {
		_, size := utf8.DecodeRuneInString(s.text[at:])
		s.add(s.text[s.last:at+size], pair)
	}
	s.last, s.inRun = at, true
}

func (s *splitter) endRun(at int) {
	if s.inRun {
		s.add(s.text[s.last:at], tail)
		s.inRun = false
	}
}

func (s *splitter) add(text string, k kind) {
	s.words = append(s.words, Word{Text: text, Place: len(s.words), kind: k})
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
