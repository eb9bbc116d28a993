package importfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"itemcast/internal/importfile"
	"itemcast/internal/problem"
)

var options = importfile.Options{Columns: map[string]importfile.Cell{
	"id": importfile.Text, "name": importfile.Text, "type": importfile.Word, "duration": importfile.Number,
	"tags": importfile.List, "client_data": importfile.JSON, "player_url": importfile.Text,
}}

// read returns the entries as lines "POSITION@LINE TEXT", and the error that ends the input.
func read(t *testing.T, input string, options importfile.Options) (entries string, err error) {
	t.Helper()
	var out strings.Builder
	r, err := importfile.Open(strings.NewReader(input), options)
	for err == nil {
		var e importfile.Entry
		if e, err = r.Next(); err != nil {
			break
		}
		text := string(e.Text)
		if e.Err != nil {
			text = e.Err.Detail
		}
		fmt.Fprintf(&out, "%d@%d %s\n", e.Position, e.Line, text)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return out.String(), err
}

func TestReader_ReadsTheFormatsThatPeopleBring(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ input, want string }{
		"nothing":                         {"", ""},
		"blank lines":                     {" \n\r\n\t", ""},
		"JSON lines":                      {"{\"name\":\"a\"}\r\n\n{\"name\":\"b\"}", "1@1 {\"name\":\"a\"}\n3@3 {\"name\":\"b\"}\n"},
		"a line with a fault comes first": {"{\"name\":\n{\"name\":\"b\"}\n", "1@1 {\"name\":\n2@2 {\"name\":\"b\"}\n"},
		"a line that is no JSON":          {"{bad}\nnor this\n", "1@1 {bad}\n2@2 nor this\n"},
		"a heading before the lines":      {"# items\n{\"name\":\"b\"}\n", "1@1 # items\n2@2 {\"name\":\"b\"}\n"},
		"one line that is cut off":        {`{"name":"a`, "1@1 {\"name\":\"a\n"},
		"an array in one line":            {`[{"a":"]},"},[1,{}],"\"",2 ]`, "1@1 {\"a\":\"]},\"}\n2@1 [1,{}]\n3@1 \"\\\"\"\n4@1 2 \n"},
		"a pretty array":                  {"\n[\n  {\n    \"a\": 1\n  },\n  {}\n]\n", "1@3 {\n    \"a\": 1\n  }\n2@6 {}\n\n"},
		"an empty array":                  {" [ ] \n", ""},
		"a comma after the last element":  {"[{},]", "1@1 {}\n"},
		"an element that is missing":      {"[{},,{}]", "1@1 {}\n2@1 \n3@1 {}\n"},
		"CSV":                             {"name,type,year\na,VIDEO,1999\n\"b, c\",,\n", "2@2 {\"name\":\"a\",\"type\":\"video\",\"metadata\":{\"year\":\"1999\"}}\n3@3 {\"name\":\"b, c\",\"metadata\":{\"year\":null}}\n"},
		"CSV of Excel":                    {"sep=;\r\nName;Player URL;Metadata.Größe\r\na;https://a.example;3,5\r\n;;\r\nb\r\n", "3@3 {\"name\":\"a\",\"player_url\":\"https://a.example\",\"metadata\":{\"Größe\":\"3,5\"}}\n5@5 {\"name\":\"b\"}\n"},
		"CSV of another region":           {"name;duration\na, b;1.5\nc;long\n", "2@2 {\"name\":\"a, b\",\"duration\":1.5}\n3@3 {\"name\":\"c\",\"duration\":\"long\"}\n"},
		"TSV":                             {"name\ttags\na\tx, y ,\nb\t\"[\"\"x, y\"\",\"\"z\"\"]\"\n", "2@2 {\"name\":\"a\",\"tags\":[\"x\",\"y\"]}\n3@3 {\"name\":\"b\",\"tags\":[\"x, y\",\"z\"]}\n"},
		"one column":                      {"name\na\nb\n", "2@2 {\"name\":\"a\"}\n3@3 {\"name\":\"b\"}\n"},
		"a header only":                   {"name,year", ""},
		"newlines in quotes":              {"name,note\r\na,\"one\r\ntwo\"\r\nb,\r\n", "2@2 {\"name\":\"a\",\"metadata\":{\"note\":\"one\\ntwo\"}}\n4@4 {\"name\":\"b\",\"metadata\":{\"note\":null}}\n"},
		"JSON in cells":                   {"name,client_data\na,\"{\"\"k\"\": 1}\"\n", "2@2 {\"name\":\"a\",\"client_data\":{\"k\": 1}}\n"},
		"line ends of several systems": {"name,year\r\na,\"1\r2\"\rb,2\nc,3\r", "2@2 {\"name\":\"a\",\"metadata\":{\"year\":\"1\\r2\"}}\n" +
			"3@3 {\"name\":\"b\",\"metadata\":{\"year\":\"2\"}}\n4@4 {\"name\":\"c\",\"metadata\":{\"year\":\"3\"}}\n"},
		"line ends of old Macintosh files": {"name,year\ra,1999\r", "2@2 {\"name\":\"a\",\"metadata\":{\"year\":\"1999\"}}\n"},
		"columns without a name, empty":    {"name,,\na,, \n", "2@2 {\"name\":\"a\"}\n"},
	} {
		if got, err := read(t, c.input, options); err != nil || got != c.want {
			t.Errorf("%s:\n got %q, %v\nwant %q", name, got, err, c.want)
		}
		for encoding, encoded := range map[string]string{"UTF-8 with a mark": "\xef\xbb\xbf" + c.input,
			"UTF-16LE": utf16(t, unicode.LittleEndian, c.input), "UTF-16BE": utf16(t, unicode.BigEndian, c.input)} {
			if got, err := read(t, encoded, options); err != nil || got != c.want {
				t.Errorf("%s in %s:\n got %q, %v\nwant %q", name, encoding, got, err, c.want)
			}
		}
	}
}

func utf16(t *testing.T, order unicode.Endianness, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	if text == "" {
		return ""
	}
	return encoded
}

func TestReader_TakesAnotherSeparatorOfTags(t *testing.T) {
	t.Parallel()
	piped := options
	piped.TagSeparator = "|"
	if got, err := read(t, "name,tags\na,\"Action, Adventure|Drama\"\n", piped); err != nil ||
		!strings.Contains(got, `["Action, Adventure","Drama"]`) {
		t.Errorf("got %s, %v", got, err)
	}
}

// Reading continues after a row or an element with a fault.
func TestReader_ReportsWhatItCannotReadByItsLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", importfile.MaxBytes)
	for name, c := range map[string]struct{ input, want string }{
		"a long line":    {`{"name":"` + long + "\"}\n{}", "1@1 The line is longer than 1 MiB. Shorten the item.\n2@2 {}\n"},
		"a long element": {`[{"name":"` + long + "\"},\n{}]", "1@1 The element is longer than 1 MiB. Shorten the item.\n2@2 {}\n"},
		"a long row":     {"name\n" + long + "\nb\n", "2@2 The row is longer than 1 MiB. Shorten the item.\n3@3 {\"name\":\"b\"}\n"},
		"a row beyond what is read at once": {"name,note\nx,\n" + long + long + ",\nb,\n", "2@2 {\"name\":\"x\",\"metadata\":{\"note\":null}}\n" +
			"3@3 The row is longer than 1 MiB. Shorten the item.\n4@4 {\"name\":\"b\",\"metadata\":{\"note\":null}}\n"},
		"a quoted cell beyond what is read at once": {"name,note\n\"x\ny\",\n\"" + strings.Repeat("a \"\"b\"\"\n", 1<<18) + "\",\nb,\n",
			"2@2 {\"name\":\"x\\ny\",\"metadata\":{\"note\":null}}\n4@4 The row is longer than 1 MiB. Shorten the item.\n262149@262149 {\"name\":\"b\",\"metadata\":{\"note\":null}}\n"},
		"two rows with such a cell first": {"name\n" + strings.Repeat("\""+strings.Repeat("b\n", 1<<20)+"\"\n", 2) + "b\n",
			"2@2 The row is longer than 1 MiB. Shorten the item.\n1048579@1048579 The row is longer than 1 MiB. Shorten the item.\n" +
				"2097156@2097156 {\"name\":\"b\"}\n"},
		"a bare quote": {"name,note\na,27\" screen\nb,\n", "2@2 A quote stands in a cell without quotes, at column 5 of the line. " +
			"Put the cell in quotes, and write a quote in it twice.\n3@3 {\"name\":\"b\",\"metadata\":{\"note\":null}}\n"},
		"a quote that is not closed": {"name,note\na,\"b\nc\n", "3@2 The quotes of the row on lines 2 to 3 do not match. " +
			"Close the cell with a quote, and write a quote in it twice.\n"},
		"more cells than columns": {"name,note\na,b,c\nd,,\n", "2@2 The row has more cells than the header, which has 2. " +
			"Put cells that hold the separator in quotes.\n3@3 {\"name\":\"d\",\"metadata\":{\"note\":null}}\n"},
		"a value without a column's name": {",name\n0,a\n,b\n", "2@2 Column 1 has a value but no name. Name it in the header, or delete it.\n" +
			"3@3 {\"name\":\"b\"}\n"},
		"Windows-1252 further below": {"name\n" + strings.Repeat("a\n", 20000) + "Gr\xfc\xdfe\nb\n", "20002@20002 The cell \"name\" is not UTF-8 text. " +
			"Save the table as \"CSV UTF-8\", or convert it: iconv -f WINDOWS-1252 -t UTF-8.\n20003@20003 {\"name\":\"b\"}\n"},
	} {
		if got, err := read(t, c.input, options); err != nil || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s:\n got %q, %v\nwant %q", name, got[max(0, len(got)-500):], err, c.want)
		}
	}
}

// They would be stored as U+FFFD, which is not what the file has.
func TestReader_RefusesWhatIsNoCharacterOfUTF16(t *testing.T) {
	t.Parallel()
	for _, order := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
		for name, fault := range map[string]string{"a high surrogate": "\xd8\x3d", "a low surrogate": "\xdc\x00", "half a character": "\x00"} {
			if order == unicode.LittleEndian && len(fault) == 2 {
				fault = fault[1:] + fault[:1]
			}
			for text, want := range map[string]string{
				"name\n😀\n" + strings.Repeat("a\n", 40000) + "b": "\n40003@40003 The cell \"name\" has half a character of UTF-16.",
				"name\nb":           "2@2 The cell \"name\" has half a character of UTF-16.",
				"{}\n{\"name\":\"b": "2@2 The line has half a character of UTF-16.",
				"name":              "The file has half a character of UTF-16.",
			} {
				got, err := read(t, utf16(t, order, text)+fault, options)
				if err != nil {
					got = err.Error()
				}
				if strings.Contains(text, "😀") && !strings.HasPrefix(got, "2@2 {\"name\":\"😀\"}\n") {
					t.Errorf("order %v: got %.100q", order, got)
				}
				if !strings.Contains(got, want) || strings.Contains(got, "\ufffd") || strings.Contains(got, "WINDOWS-1252") {
					t.Errorf("%s, order %v: got %q, want %q", name, order, got[max(0, len(got)-200):], want)
				}
			}
		}
	}
}

func TestReader_StopsWhereTheRestCannotBeRead(t *testing.T) {
	t.Parallel()
	open := "name,note\n\"" + strings.Repeat("b\n", importfile.MaxBytes)
	for name, c := range map[string]struct{ input, entries, want string }{
		"an array without an end": {"[{},\n{", "1@1 {}\n", "The JSON array has no end: the text ends in or after element 2, on line 2."},
		"text after an array":     {"[{}]\n{}", "1@1 {}\n", "Text follows the end of the JSON array, on line 2."},
		"a quote that is open for more than a row's length": {open, "",
			"The row on line 2 is longer than 1 MiB. Close its quotes, or shorten it."},
	} {
		got, err := read(t, c.input, options)
		if got != c.entries || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestReader_NamesOtherFormatsAndHowToConvertThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ input, want string }{
		"one object":                 {"{\n  \"name\": \"a\"\n}\n", "This is one JSON object over several lines. Put each item on a line"},
		"an answer":                  {"{\"results\": [\n {\"name\":\"a\"}\n]}", "jq .results FILE"},
		"XML":                        {"<?xml version=\"1.0\"?><rss/>", "This is an XML document. Convert it"},
		"HTML":                       {"<!DOCTYPE html><html></html>", "This is an HTML page. Convert it"},
		"XML without a head":         {"<films>\n<film/></films>", "This is an XML or HTML document. Convert it"},
		"RTF":                        {"{\\rtf1\\ansi name}", "This is an RTF document."},
		"UTF-16BE without a mark":    {"\x00n\x00a\x00m\x00e\x00\n\x00a", "iconv -f UTF-16BE"},
		"PDF":                        {"%PDF-1.7\n", "This is a PDF document."},
		"ZIP":                        {"PK\x03\x04\x14\x00\x00\x00\x00\x00a.csv", "This is a ZIP archive. Unpack it"},
		"XLSX":                       {"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\x21\x00" + strings.Repeat("\x00", 12) + "\x13\x00\x00\x00[Content_Types].xml" + "PK\x03\x04" + strings.Repeat("\x00", 22) + "\x0f\x00\x00\x00xl/workbook.xml", "This is an Excel workbook (XLSX). Save the sheet as \"CSV UTF-8\""},
		"XLS":                        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 504) + "\x09\x08\x10\x00\x00\x06\x05\x00", "This is"},
		"gzip":                       {"\x1f\x8b\x08\x00\x00\x00\x00\x00", "This is compressed by gzip. Decompress it first, such as with: gunzip -c FILE."},
		"zstd":                       {"\x28\xb5\x2f\xfd\x04\x00", "zstd -dc FILE"},
		"MP4":                        {"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "This is a media file (video/mp4)."},
		"PNG":                        {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This is a media file (image/png)."},
		"SQLite":                     {"SQLite format 3\x00", "This is an SQLite database."},
		"UTF-16 without a mark":      {"n\x00a\x00m\x00e\x00\n\x00a\x00\n\x00", "This is UTF-16 text without a byte order mark."},
		"Windows-1252":               {"name;L\xe4nge\na;1\n", "This text is not UTF-8. Save it as \"CSV UTF-8\""},
		"other text":                 {"Title;Year\nMetropolis;1927\n", "neither JSON nor a table with a column \"name\"; it begins with \"Title;Year\"."},
		"bytes":                      {"\x00\x01\x02\x03\xff\xfe\xfd", "This is neither JSON nor a table, but application/octet-stream."},
		"two columns of one meaning": {"name,Year,metadata.Year\n", "Columns 2 (\"Year\") and 3 (\"metadata.Year\") of the header name the same field."},
	} {
		got, err := read(t, c.input, options)
		if got != "" || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// The first bytes of programs (MZ) and other formats are letters that headers may begin with too.
func TestReader_TakesATableThatBeginsLikeAnotherFormat(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"BMI", "ID3 tag", "MZ", "GIF", "II*", "%!PS"} {
		if got, err := read(t, first+",name\n1,a\n", options); err != nil || !strings.Contains(got, `"name":"a"`) {
			t.Errorf("%s: got %q, %v", first, got, err)
		}
	}
}

func TestReader_DecompressesOnRequest(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	fmt.Fprint(w, "{\"name\":\"a\"}\n{\"name\":\"b\"}\n")
	w.Close()
	with := options
	with.Gzip = true
	if got, err := read(t, zipped.String(), with); err != nil || got != "1@1 {\"name\":\"a\"}\n2@2 {\"name\":\"b\"}\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := read(t, zipped.String()[:zipped.Len()-9], with); !problem.Is(err, problem.BadRequest) {
		t.Errorf("cut off: %v", err)
	}
}

// A digest identifies all that was read, so that an import resumes only in the same input.
func TestReader_DigestsTellInputsApart(t *testing.T) {
	t.Parallel()
	last := func(input string) (digest [32]byte) {
		r, err := importfile.Open(strings.NewReader(input), options)
		for err == nil {
			var e importfile.Entry
			if e, err = r.Next(); err == nil {
				digest = e.Digest
			}
		}
		return digest
	}
	for _, pair := range [][2]string{{"{}\n{}", "{} \n{}"}, {"[1,2]", "[12,2]"}, {"name,a\nx,y\nz,\n", "name,b\nx,y\nz,\n"},
		{"name,a\nx,y\nz,\n", "name,a\nxy,\nz,\n"}, {"name,a\nx\"y\n", "name,a\nxx\"y\n"}} {
		if last(pair[0]) == last(pair[1]) {
			t.Errorf("%q and %q have one digest", pair[0], pair[1])
		}
	}
	if last("{}\r\n{}") != last("{}\n{}\n") {
		t.Error("line ends change the digest")
	}
}

// slowPipe sends one chunk a read, and blocks after the last until the test ends.
type slowPipe struct {
	chunks []string
	end    <-chan struct{}
}

func (s *slowPipe) Read(p []byte) (int, error) {
	if len(s.chunks) == 0 {
		<-s.end
		return 0, io.EOF
	}
	n := copy(p, s.chunks[0])
	s.chunks = s.chunks[1:]
	return n, nil
}

func TestReader_DoesNotWaitForMoreThanALineOfASlowPipe(t *testing.T) {
	t.Parallel()
	r, err := importfile.Open(&slowPipe{chunks: []string{"{\"name\":\"a\"}\n"}, end: t.Context().Done()}, options)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := r.Next(); err != nil || string(e.Text) != `{"name":"a"}` {
		t.Errorf("got %s, %v", e.Text, err)
	}
}

// Whatever the bytes, reading ends, entries come in order, and none is longer than the limit.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{"{}\n{\"a\":1}", "[{},{\"a\":[1,\"]\"]}]", "sep=;\r\nname;a\r\nx;\"y\nz\"\r\n", "name,tags\na,[\"x\"]\n",
		"\xff\xfen\x00a\x00m\x00e\x00\n\x00", "\xef\xbb\xbfname\ttype\na\tVIDEO\n", "name\ra\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r, err := importfile.Open(bytes.NewReader(input), options)
		last := int64(0)
		for err == nil {
			var e importfile.Entry
			if e, err = r.Next(); err != nil {
				break
			}
			if e.Position <= last || e.Text != nil && e.Err != nil || len(e.Text) > importfile.MaxBytes {
				t.Fatalf("entry %d after %d: %v, %d bytes", e.Position, last, e.Err, len(e.Text))
			}
			last = e.Position
		}
	})
}
