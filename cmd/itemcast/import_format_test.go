package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"itemcast/internal/node/nodetest"
)

// writeFile returns a new file with a content.
func writeFile(t *testing.T, name, content string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

type exportedItem struct {
	Name, Type string
	Tags       []string
	Metadata   json.RawMessage
}

func TestImport_ReadsTheFormatsOfSpreadsheetsAndPrograms(t *testing.T) {
	t.Parallel()
	const excel = "sep=;\r\nName;Type;Tags;Release Date;Größe;Seen;metadata.postcode;note\r\n" +
		"Metropolis;VIDEO;drama, silent;1927-01-10;153;TRUE;01234;\"two\r\nlines\"\r\n" +
		"Laura;;\"[\"\"Action, Adventure\"\"]\";1944-10-11;;;;\r\n;;;;;;;\r\n"
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(excel, "sep=;\r\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	fmt.Fprint(w, excel)
	w.Close()
	const want = `{"grosse":153,"note":"two\nlines","postcode":"01234","release_date":"1927-01-10","seen":true}`
	for name, c := range map[string]struct{ content, unit, metadata string }{
		"excel.csv":    {"\xef\xbb\xbf" + excel, "row", want},
		"unicode.txt":  {utf16, "row", want},
		"tabs.tsv":     {strings.NewReplacer("sep=;\r\n", "", ";", "\t", "\r", "").Replace(excel), "row", want},
		"excel.csv.gz": {zipped.String(), "row", want},
		"compact.json": {`[{"name":"Metropolis","tags":["drama","silent"],"metadata":{"releaseDate":"1927-01-10"}},{"name":"Laura","tags":["Action, Adventure"]}]`, "element", `{"release_date":"1927-01-10"}`},
		"pretty.json":  {"[\n  {\n    \"name\": \"Metropolis\",\n    \"tags\": [\"drama\", \"silent\"]\n  },\n  {\n    \"name\": \"Laura\",\n \"tags\": [\"Action, Adventure\"]\n  }\n]\n", "element", `{}`},
		"lines.jsonl":  {`{"name":"Metropolis","tags":["drama","silent"]}` + "\r\n" + `{"name":"Laura","tags":["Action, Adventure"]}`, "line", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, environment := newDatabase(t)
			file := writeFile(t, name, c.content)
			code, out, errs := nodetest.RunProcess(t, environment, "import", file)
			wantExit(t, code, out, errs, 0, fmt.Sprintf("2 %ss: 2 created, 0 updated, 0 unchanged, 0 rejected", c.unit))
			if c.unit == "row" {
				wantExit(t, code, out, errs, 0, `Created the metadata field release_date (date) for "Release Date".`,
					`Created the metadata field grosse (number) for "Größe".`, `Created the metadata field postcode (text)`)
			}
			_, exported, _ := nodetest.RunProcess(t, environment, "export")
			var items []exportedItem
			for line := range strings.Lines(exported) {
				var i exportedItem
				if err := json.Unmarshal([]byte(line), &i); err != nil {
					t.Fatal(err)
				}
				items = append(items, i)
			}
			if len(items) != 2 || items[0].Name != "Metropolis" || fmt.Sprint(items[0].Tags) != "[drama silent]" ||
				string(items[0].Metadata) != c.metadata || items[1].Type != "video" ||
				fmt.Sprintf("%q", items[1].Tags) != `["Action, Adventure"]` {
				t.Errorf("got %s", exported)
			}
			code, out, errs = nodetest.RunProcess(t, environment, "import", file)
			wantExit(t, code, out, errs, 0, "nothing to do", fmt.Sprintf("2 %ss: 2 created", c.unit))
		})
	}
}

// The database is not even opened for changes: nothing is imported, and one line says what to do.
func TestImport_NamesAFileThatIsNoListOfItems(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	for name, c := range map[string]struct{ content, want string }{
		"films.xml":  {"<?xml version=\"1.0\"?>\n<films/>\n", "itemcast: This is an XML document. Convert it to JSON lines"},
		"films.zip":  {"PK\x03\x04\x14\x00\x00\x00\x00\x00", "itemcast: This is a ZIP archive. Unpack it, and import the file in it."},
		"film.json":  {"{\n  \"name\": \"Metropolis\"\n}\n", "itemcast: This is one JSON object over several lines. Put each item on a line of its own (jq -c . FILE)"},
		"film.mp4":   {"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "itemcast: This is a media file (video/mp4). Import a list of items"},
		"latin1.csv": {"name;L\xe4nge\n", "itemcast: This text is not UTF-8. Save it as \"CSV UTF-8\", or convert it: iconv"},
		"films.csv":  {"Title,Year\n", `itemcast: This text is neither JSON nor a table with a column "name"; it begins with "Title,Year".`},
	} {
		code, out, errs := nodetest.RunProcess(t, environment, "import", writeFile(t, name, c.content))
		wantExit(t, code, out, errs, 1, c.want)
		if out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: got %q, %q", name, out, errs)
		}
	}
	if n := nodetest.CountItems(t, pool); n != 0 {
		t.Errorf("%d items, want 0", n)
	}
}

func TestImport_ReportsLinesAndElementsOfTheFile(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	code, out, errs := nodetest.RunProcess(t, environment, "import", writeFile(t, "a.csv",
		"name,Release Date,duration,url\na,1999-01-01,1,https://a.example\n\"b\nb\",,,\n\"c\",,long,\n,2000-01-01,,\n"))
	wantExit(t, code, out, errs, 3, "4 rows: 2 created, 0 updated, 0 unchanged, 2 rejected", "line 5: duration must be a number",
		"line 6: name is required", "2 of 4 rows were rejected", "Ignored the columns that only the server sets: url. (Name a column metadata.url")
	code, out, errs = nodetest.RunProcess(t, environment, "import", "--no-create-fields", writeFile(t, "a.json",
		"[\n  {\"name\": \"a\"},\n  {\n    \"name\": \"\"\n  }, {\"name\":\"c\",\"metadata\":{\"color\":1}}\n]"))
	wantExit(t, code, out, errs, 3, "3 elements: 1 created, 0 updated, 0 unchanged, 2 rejected", "line 3, element 2: #/name ",
		"line 5, element 3: #/metadata/color must be a metadata field", "--create-fields")
	code, out, errs = nodetest.RunProcess(t, environment, "import", writeFile(t, "b.json", `{"items":[{"name":"a"}]}`))
	wantExit(t, code, out, errs, 3, "1 line: 0 created", "import the list itself (such as jq .items FILE)",
		"1 line was rejected, 1 by this run; nothing is imported. Correct the rejected line and import it")
}

func TestImport_ResumesEachFormatByKey(t *testing.T) {
	t.Parallel()
	row := func(n int) string { return fmt.Sprintf("item %d,\"note\n%d\"\n", n, n) }
	element := func(n int) string { return fmt.Sprintf("\n{\"name\":\"item %d\"},", n) }
	for name, c := range map[string]struct {
		start, end    string
		entry         func(n int) string
		first, resume string
	}{
		"CSV":      {"name,note\n", "", row, "150 rows: 150 created", "Resumed after line 300"},
		"an array": {"[", `{"name":"last"}]`, element, "150 elements: 150 created", "Resumed after element 150"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, environment := newDatabase(t)
			var all strings.Builder
			all.WriteString(c.start)
			for n := range 150 {
				all.WriteString(c.entry(n + 1))
			}
			_, out, errs := runPiped(t, environment, all.String(), "import", "-", "--key=k")
			if !strings.Contains(out, c.first) {
				t.Errorf("got %s\n%s", out, errs)
			}
			for n := range 50 {
				all.WriteString(c.entry(n + 151))
			}
			code, out, errs := runPiped(t, environment, all.String()+c.end, "import", "-", "--key=k")
			wantExit(t, code, out, errs, 0, c.resume)
			if n := nodetest.CountItems(t, pool); n != 200+strings.Count(c.end, "last") {
				t.Errorf("%d items", n)
			}
			code, out, errs = runPiped(t, environment, strings.Replace(all.String(), "item 7", "item seven", 1)+c.end, "import", "-", "--key=k")
			wantExit(t, code, out, errs, 1, "key was used for other ")
		})
	}
}

// A spreadsheet with a few columns of existing items changes only those.
func TestImport_ATableRetainsFieldsWithoutAColumn(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	code, out, errs := nodetest.RunProcess(t, environment, "import", writeLines(t, `{"id":"`+id+`","name":"a","description":"long","tags":["x"],"producer":"UFA","metadata":{"Release Date":"1927-01-10","year":1927,"note":"n"}}`))
	wantExit(t, code, out, errs, 0, "1 created")
	code, out, errs = nodetest.RunProcess(t, environment, "import", writeFile(t, "edited.csv", "id,name,producer,Release Date,year\n"+id+",b,,,1928\n"))
	wantExit(t, code, out, errs, 0, "1 row: 0 created, 1 updated")
	_, exported, _ := nodetest.RunProcess(t, environment, "export")
	for _, want := range []string{`"name":"b"`, `"description":"long"`, `"producer":null`, `"tags":["x"]`, `"metadata":{"note":"n","year":1928}`} {
		if !strings.Contains(exported, want) {
			t.Errorf("it lacks %s: %s", want, exported)
		}
	}
}

func TestImport_AllValuesOfAFileDecideTheKindOfAField(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	table := "name,year,day\n" + strings.Repeat("a,1927,1927-01-10\n", 1200) + "b,about 1930,1930\n"
	code, out, errs := nodetest.RunProcess(t, environment, "import", writeFile(t, "a.csv", table))
	wantExit(t, code, out, errs, 0, "1201 rows: 1201 created", "metadata field year (text)", "metadata field day (text)")
}
