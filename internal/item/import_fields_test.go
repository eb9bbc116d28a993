package item

import (
	"fmt"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// fieldLines returns the account's fields as "KEY KIND LABEL", by key.
func (b *bundle) fieldLines() string {
	b.t.Helper()
	fields, err := b.items.Fields(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	var lines []string
	for _, f := range fields {
		lines = append(lines, f.Key+" "+f.Kind+" "+f.Label)
	}
	return strings.Join(lines, "\n")
}

// metadataLines returns the metadata of all items, by name.
func (b *bundle) metadataLines() string {
	b.t.Helper()
	var lines []string
	for _, i := range b.listed(Filter{}, ByName, 200) {
		lines = append(lines, i.Name+" "+string(i.Metadata))
	}
	return strings.Join(lines, "\n")
}

func TestImport_CreatesFieldsForUnknownNamesOnRequest(t *testing.T) {
	b := setup(t)
	input := `{"name":"a","metadata":{"year":1927,"title":"t","seen":true,"nothing":null}}` + "\n" +
		`{"name":"","metadata":{"never":1}}` + "\n" + `{"name":"b","metadata":{"year":1928,"list":[1]}}` + "\n" +
		`{"name":"c","metadata":{"Release Date":"1927-01-10","3D":false,"公開日":"1927-01-10","US Gross ($)":1e3}}`
	report := b.importLines(b.ctx, input, ImportOptions{CreateFields: true})
	if report.Created != 2 || report.Rejected != 2 {
		t.Errorf("got %+v", report)
	}
	want := "field_3_d bool 3D\ngong_kai_ri date 公開日\nrelease_date date Release Date\nseen bool seen\n" +
		"title text title\nus_gross number US Gross ($)\nyear number year"
	if got := b.fieldLines(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := fmt.Sprint(report.Fields); !strings.Contains(got, "{release_date Release Date date false}") || len(report.Fields) != 7 {
		t.Errorf("the report has %s", got)
	}
	if got := b.metadataLines(); !strings.Contains(got, `"release_date":"1927-01-10"`) || !strings.Contains(got, `"us_gross":1000`) {
		t.Errorf("got %s", got)
	}
	if _, err := b.items.Import(b.as(without(account.WorkflowsManage)...), strings.NewReader(input),
		ImportOptions{CreateFields: true}); !problem.Is(err, problem.Forbidden) {
		t.Errorf("without workflows.manage: got %v", err)
	}
}

// Two names are two fields, however alike their keys are, on whichever lines they stand; and the next import of the same
// names finds the same fields.
func TestImport_NamesWithOneKeyGetTwoFields(t *testing.T) {
	b := setup(t)
	input := `{"name":"a","metadata":{"releaseDate":"1"}}` + "\n" +
		`{"name":"b","metadata":{"release date":"2","releaseDate":"3","release_date":"4"}}` + "\n"
	for range 2 {
		if report := b.importLines(b.ctx, input, ImportOptions{CreateFields: true}); report.Created != 2 {
			t.Fatalf("got %+v", report)
		}
	}
	if got := b.fieldLines(); got != "release_date text release_date\nrelease_date_2 text releaseDate\nrelease_date_3 text release date" {
		t.Errorf("got\n%s", got)
	}
	const a, both = `a {"release_date_2":"1"}`, `b {"release_date":"4","release_date_2":"3","release_date_3":"2"}`
	if got := b.metadataLines(); got != a+"\n"+a+"\n"+both+"\n"+both {
		t.Errorf("got\n%s", got)
	}
}

func TestImport_AnotherSpellingFindsTheFieldThatExists(t *testing.T) {
	b := setup(t)
	b.field("release_date", "date")
	if _, err := b.items.CreateField(b.ctx, Field{Key: "gross", Label: "Einspielergebnis", Kind: "number"}); err != nil {
		t.Fatal(err)
	}
	for _, options := range []ImportOptions{{CreateFields: true}, {}} {
		report := b.importLines(b.ctx, "name;Release Date;Einspielergebnis\na;1927-01-10;1\n", options)
		if report.Created != 1 || len(report.Fields) != 0 {
			t.Errorf("%+v: got %+v", options, report)
		}
	}
	const want = `a {"gross":1,"release_date":"1927-01-10"}`
	if got := b.metadataLines(); got != want+"\n"+want {
		t.Errorf("got %s", got)
	}
	report := b.importLines(b.ctx, `{"name":"b","metadata":{"Release Date":"no date"}}`, ImportOptions{CreateFields: true})
	if report.Rejected != 1 || report.Errors[0].Error.Faults[0].Pointer != "#/metadata/Release%20Date" {
		t.Errorf("a fault is at the name that the line has; got %+v", report.Errors)
	}
	report = b.importLines(b.ctx, `{"name":"b","metadata":{"Release Date":"1927-01-10"}}`, ImportOptions{})
	if report.Rejected != 1 {
		t.Errorf("JSON without create_fields names keys; got %+v", report)
	}
}

func TestImport_AllValuesOfTheNextLinesDecideTheKindOfAField(t *testing.T) {
	b := setup(t)
	var input strings.Builder
	input.WriteString("name,year,seen,day,zip,mixed,phone\n")
	for range 999 {
		input.WriteString("a,1927,TRUE,1927-01-10,01234,1,\n")
	}
	input.WriteString("b,-1.5,false,2024-02-29,12345,unknown,+49 30 1\n")
	report := b.importLines(b.ctx, input.String(), ImportOptions{CreateFields: true})
	if report.Created != 1000 {
		t.Fatalf("got %+v", report)
	}
	if got := b.fieldLines(); got != "day date day\nmixed text mixed\nphone text phone\nseen bool seen\nyear number year\nzip text zip" {
		t.Errorf("got\n%s", got)
	}
	if got := b.metadataLines(); !strings.HasSuffix(got, `b {"day":"2024-02-29","mixed":"unknown","phone":"+49 30 1","seen":false,"year":-1.5,"zip":"12345"}`) ||
		!strings.HasPrefix(got, `a {"day":"1927-01-10","mixed":"1","seen":true,"year":1927,"zip":"01234"}`) {
		t.Errorf("got %s", got)
	}
}

func TestImport_NumbersAndBoolsBecomeTextInTextFields(t *testing.T) {
	b := setup(t)
	input := `{"name":"a","metadata":{"x":1.50}}` + "\n" + `{"name":"b","metadata":{"x":true}}` + "\n" + `{"name":"c","metadata":{"x":"t"}}`
	if report := b.importLines(b.ctx, input, ImportOptions{CreateFields: true}); report.Created != 3 {
		t.Fatalf("got %+v", report)
	}
	if got := b.metadataLines(); got != `a {"x":"1.50"}`+"\n"+`b {"x":"true"}`+"\n"+`c {"x":"t"}` {
		t.Errorf("got %s", got)
	}
	if report := b.importLines(b.ctx, `{"name":"d","metadata":{"x":1}}`, ImportOptions{}); report.Rejected != 1 {
		t.Errorf("without create_fields, a number is no text: %+v", report)
	}
}

// After the lines that decided the kind, also when the import resumes there.
func TestImport_ADateFieldThatItMadeBecomesTextForALaterValue(t *testing.T) {
	b := setup(t)
	b.field("known", "date")
	var input strings.Builder
	for n := range maxAhead + importBatch {
		fmt.Fprintf(&input, `{"name":"%04d","metadata":{"day":"1927-01-10","year":1927}}`+"\n", n)
	}
	decided := input.String()
	if report := b.importLines(b.ctx, decided, ImportOptions{Key: "k", CreateFields: true}); b.fieldLines() != "day date day\nknown date known\nyear number year" {
		t.Fatalf("got %+v\n%s", report, b.fieldLines())
	}
	report := b.importLines(b.ctx, decided+`{"name":"x","metadata":{"day":"unknown"}}`+"\n"+`{"name":"y","metadata":{"known":"unknown"}}`+"\n"+
		`{"name":"z","metadata":{"year":"unknown"}}`, ImportOptions{Key: "k", CreateFields: true})
	if report.Run().Created != 1 || report.Rejected != 2 || fmt.Sprint(report.Fields) != "[{day day text false} {year year number false}]" {
		t.Errorf("got %+v", report)
	}
	if got := b.fieldLines(); got != "day text day\nknown date known\nyear number year" {
		t.Errorf("got\n%s", got)
	}
	if got := value[int](b, `SELECT count(*) FROM item WHERE metadata @> '{"day":"1927-01-10"}'`); got != maxAhead+importBatch {
		t.Errorf("%d items have their date", got)
	}
}

// The columns of tables are the fields of the contract.
func TestImportColumns_HaveEveryFieldOfInputsAndDocuments(t *testing.T) {
	b := setup(t)
	document := decode(t, []byte(encoded(t, b.create(`{"name":"a"}`))))
	for field := range document {
		if _, ok := importColumns[field]; ok == (field == "metadata") {
			t.Errorf("%s: %v", field, ok)
		}
	}
	if len(importColumns) != len(document) { // workflow_profile_id for metadata
		t.Errorf("%d columns, %d fields", len(importColumns), len(document))
	}
}
