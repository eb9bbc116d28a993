package importfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"itemcast/internal/problem"
)

const (
	saveAsCSV  = "Save the sheet as \"CSV UTF-8\", and import that."
	unpack     = "Unpack it, and import the file in it."
	decompress = "Decompress it first, such as with: %s."
	noItems    = "Import a list of items (JSON lines, a JSON array, CSV or TSV); an item names its files by their URLs."
	convert    = "Convert it to JSON lines (an object a line), a JSON array, or CSV with a header."
)

// refused are the formats that people try to import, by media type, with what to do. A type stands for all that
// derive from it, such as application/zip for a JAR; the first match counts.
var refused = []struct{ mediaType, name, advice string }{
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "an Excel workbook (XLSX)", saveAsCSV},
	{"application/vnd.ms-excel", "an Excel workbook (XLS)", saveAsCSV},
	{"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet (ODS)", saveAsCSV},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a Word document (DOCX)", convert},
	{"application/zip", "a ZIP archive", unpack},
	{"application/x-tar", "a tar archive", unpack},
	{"application/x-7z-compressed", "a 7-Zip archive", unpack},
	{"application/x-rar-compressed", "a RAR archive", unpack},
	{"application/gzip", "compressed by gzip", fmt.Sprintf(decompress, "gunzip -c FILE")},
	{"application/zstd", "compressed by zstd", fmt.Sprintf(decompress, "zstd -dc FILE")},
	{"application/x-bzip2", "compressed by bzip2", fmt.Sprintf(decompress, "bzip2 -dc FILE")},
	{"application/x-xz", "compressed by xz", fmt.Sprintf(decompress, "xz -dc FILE")},
	{"application/pdf", "a PDF document", convert},
	{"text/html", "an HTML page", convert},
	{"text/xml", "an XML document", convert},
	{"application/vnd.sqlite3", "an SQLite database", "Export its table, such as with: sqlite3 -json FILE \"SELECT …\"."},
	{"application/vnd.apache.parquet", "a Parquet file", convert},
	{"text/rtf", "an RTF document", convert},
}

var errObject = problem.New(problem.UnsupportedMediaType, "This is one JSON object over several lines. Put each item "+
	"on a line of its own (jq -c . FILE), or import the array that the object has (such as jq .results FILE).")

// refusal names the format of an input that cannot be imported.
func refusal(head []byte) error {
	detected := mimetype.Detect(head)
	for _, format := range refused {
		for m := detected; m != nil; m = m.Parent() {
			if m.Is(format.mediaType) {
				return unsupported("This is %s. %s", format.name, format.advice)
			}
		}
	}
	kind, _, _ := strings.Cut(detected.String(), "/")
	switch {
	case kind == "video" || kind == "audio" || kind == "image" && !detected.Is("image/svg+xml"):
		return unsupported("This is a media file (%s). %s", detected, noItems)
	case unmarkedUTF16(head) != "":
		return unsupported("This is UTF-16 text without a byte order mark. Convert it: iconv -f %s -t UTF-8 FILE.",
			unmarkedUTF16(head))
	case firstByte(head) == '<':
		return unsupported("This is an XML or HTML document. %s", convert)
	case kind != "text" || bytes.IndexByte(head, 0) >= 0:
		return unsupported("This is neither JSON nor a table, but %s. %s", detected, convert)
	case !isUTF8(head):
		return unsupported("This text is not UTF-8. Save it as \"CSV UTF-8\", or convert it: " +
			"iconv -f WINDOWS-1252 -t UTF-8 FILE.")
	}
	return unsupported("This text is neither JSON nor a table with a column \"name\"; it begins with %q. "+
		"Name the column that holds the items' names \"name\" in the first line.", beginning(head))
}

func unsupported(format string, args ...any) error {
	return problem.New(problem.UnsupportedMediaType, format, args...)
}

// beginning returns up to 60 characters of the first line.
func beginning(head []byte) string {
	line, _ := firstLine(head)
	text := []rune(string(line))
	return string(text[:min(len(text), 60)])
}

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }

// isUTF16 reports whether a text begins with the byte order mark of UTF-16 (not with that of UTF-32, FF FE 00 00).
func isUTF16(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xfe, 0xff}) ||
		bytes.HasPrefix(head, []byte{0xff, 0xfe}) && !bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0})
}

// unmarkedUTF16 recognizes UTF-16 without a byte order mark, in mostly Latin letters: every second byte is zero. It
// returns the encoding's name for iconv, and "" for any other text.
func unmarkedUTF16(head []byte) string {
	var zeros [2]int // at even and at odd places
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch enough := len(head) / 2 * 3 / 4; {
	case len(head) < 8:
		return ""
	case zeros[0] == 0 && zeros[1] > enough:
		return "UTF-16LE"
	case zeros[1] == 0 && zeros[0] > enough:
		return "UTF-16BE"
	}
	return ""
}
