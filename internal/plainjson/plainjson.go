// Package plainjson writes the JSON that clients see. Text is written as it is: of all characters, only those that JSON
// itself requires are escaped. encoding/json also escapes <, >, & and U+2028/9, so a receiver that parses a document
// and writes it again would get other bytes. Raw JSON is copied byte for byte, except white space between values.
//
// Times are in UTC and always have six fractional digits: texts of equal length sort as times do, and no client reads
// another precision than the database has.
//
// Everything else is written as encoding/json writes it. HTML must not embed the output unescaped: html/template
// escapes it. The package must not know what a value means.
package plainjson

import (
	"encoding/json"
	"io"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// TimeFormat is the format of every time, in UTC.
const TimeFormat = "2006-01-02T15:04:05.000000Z07:00"

// RawMessage is JSON that is already encoded.
type RawMessage = json.RawMessage

var options = jsonv2.JoinOptions(
	jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false), jsontext.EscapeForJS(false),
	jsonv2.WithMarshalers(jsonv2.JoinMarshalers(
		jsonv2.MarshalToFunc(func(out *jsontext.Encoder, t time.Time) error {
			var text [len(TimeFormat) + 2]byte
			return out.WriteValue(AppendTime(text[:0], t))
		}),
		jsonv2.MarshalToFunc(func(out *jsontext.Encoder, n json.Number) error {
			return out.WriteValue(jsontext.Value(n))
		}),
	)),
)

// Marshal returns the JSON of a value, without white space.
func Marshal(value any) ([]byte, error) { return jsonv2.Marshal(value, options) }

// AppendTime appends a time as a JSON string.
func AppendTime(to []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(to, '"'), TimeFormat), '"')
}

// Encoder writes values, each with a line break.
type Encoder struct{ out io.Writer }

// NewEncoder returns an encoder that writes to out. Generated code calls it in place of that of encoding/json.
func NewEncoder(out io.Writer) *Encoder { return &Encoder{out: out} }

// Encode writes a value.
func (e *Encoder) Encode(value any) error {
	text, err := Marshal(value)
	if err != nil {
		return err
	}
	_, err = e.out.Write(append(text, '\n'))
	return err
}
