package item

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

func (b *bundle) importLines(ctx context.Context, lines string, options ImportOptions) ImportReport {
	b.t.Helper()
	report, err := b.items.Import(ctx, strings.NewReader(lines), options)
	if err != nil {
		b.t.Fatal(err)
	}
	return report
}

func lines(from, to int) string {
	var out strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&out, "{\"name\":\"item %d\"}\n", n)
	}
	return out.String()
}

func (b *bundle) count() int {
	b.t.Helper()
	return value[int](b, "SELECT count(*) FROM item WHERE account_id = $1", b.account)
}

func TestImport_RejectsBadLinesByNumberAndImportsTheRest(t *testing.T) {
	b := setup(t)
	other := uuid.New()
	b.addAccount(other)
	foreign, err := b.items.Create(account.WithActor(t.Context(), account.Actor{AccountID: other, Permissions: account.All()}), []byte(`{"name":"theirs"}`))
	if err != nil {
		t.Fatal(err)
	}
	input := strings.Join([]string{
		"\xef\xbb\xbf" + `{"name":"with a byte order mark"}` + "\r",
		"", "  \t\r",
		`{"name":`,
		`{"name":""}`,
		string(foreign.Bytes),
		`{"name":"` + strings.Repeat("a", 1<<20) + `"}`,
		`{"id":"no","name":"n"}`,
		`[]`, `null`,
		`{"name":"n","metadata":{"unknown":1}}`,
		`{"id":"` + uuid.NewString() + `","name":"one","name":"two"}`,
		`{"name":"n","color":"red"}`,
		`{"name":"last, without a newline"}`,
	}, "\n")
	report := b.importLines(b.ctx, input, ImportOptions{})
	got := map[int64]string{}
	for _, e := range report.Errors {
		got[e.Line] = string(e.Error.Code)
		for _, f := range e.Error.Faults {
			got[e.Line] += " " + f.Pointer
		}
	}
	want := map[int64]string{4: "INVALID_JSON #/name", 5: "INVALID_INPUT #/name", 6: "RULE_VIOLATED #/id", 7: "TOO_LARGE", 8: "INVALID_INPUT #/id",
		9: "INVALID_INPUT #", 10: "INVALID_INPUT #", 11: "RULE_VIOLATED #/metadata/unknown", 12: "INVALID_JSON #/name", 13: "INVALID_INPUT #/color"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
	if report.ImportCount != (ImportCount{Line: 14, Created: 2, Rejected: 10}) || report.Read() != 12 {
		t.Errorf("got %+v", report.ImportCount)
	}
	if b.count() != 2 || b.changes() != 2 {
		t.Errorf("there are %d items and %d changes, want 2", b.count(), b.changes())
	}
}

func TestImport_AnExportChangesNothingHereAndGivesTheSameBytesElsewhere(t *testing.T) {
	b := setup(t)
	b.shelf(30)
	b.create(`{"name":"<full> \u2028","client_data":{"z":1.0,"a":null},"assets":[{"kind":"source","url":"https://a.example/1","content_type":"video/mp4"}],
		"snapshots":[{"id":"00000000-0000-7000-8000-000000000001","url":"https://a.example/1"}],"snapshot_id":"00000000-0000-7000-8000-000000000001"}`)
	b.exec("UPDATE item SET workflow_status = NULL, workflow_profile_id = NULL, document_version = 0")
	export := func(s *Service, ctx context.Context) string {
		t.Helper()
		var out bytes.Buffer
		if err := s.Export(ctx, &out, Filter{}, nil); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	exported, changes := export(b.items, b.ctx), b.changes()
	if report := b.importLines(b.ctx, exported, ImportOptions{}); report.Unchanged != 31 || report.Read() != 31 || b.changes() != changes {
		t.Errorf("into the same account: %+v", report)
	}

	elsewhere := newBundle(t)
	report, err := elsewhere.items.Import(elsewhere.ctx, strings.NewReader(exported), ImportOptions{CreateFields: true})
	if err != nil || report.Created != 31 || report.Read() != 31 {
		t.Fatalf("into an empty account: %+v, %v", report, err)
	}
	strip := func(text string) map[string]string {
		byID := map[string]string{}
		for line := range strings.Lines(text) {
			i := b.decode([]byte(line))
			i.URL, i.CreatedBy, i.CreatedAt, i.UpdatedAt, i.Revision = "", nil, epoch, epoch, 0
			if i.PublishedAt != nil {
				i.PublishedAt = &i.CreatedAt
			}
			byID[i.ID.String()] = encoded(t, i)
		}
		return byID
	}
	got := strip(export(elsewhere.items, elsewhere.ctx))
	for id, want := range strip(exported) {
		if got[id] != want {
			t.Errorf("\n got %s\nwant %s", got[id], want)
		}
	}
}

func TestImport_ResumesWhereItWasInterrupted(t *testing.T) {
	b := setup(t)
	whole := lines(1, 350)
	half := io.MultiReader(strings.NewReader(lines(1, 230)+`{"name":"half a li`), iotest.ErrReader(errors.New("the connection is gone")))
	report, err := b.items.Import(b.ctx, half, ImportOptions{Key: "k"})
	if !problem.Is(err, problem.BadRequest) || report.Line != 230 || report.Created != 230 {
		t.Fatalf("interrupted: %+v, %v", report, err)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	report, err = b.items.Import(ctx, strings.NewReader(whole), ImportOptions{Key: "k", Progress: func(ImportCount) { cancel() }})
	if !errors.Is(err, context.Canceled) || report.ResumedAfter != 230 || report.Line != 330 {
		t.Fatalf("cancelled: %+v, %v", report, err)
	}
	for range 2 {
		report = b.importLines(b.ctx, whole, ImportOptions{Key: "k"})
		if report.ImportCount != (ImportCount{Line: 350, Created: 350}) || report.ResumedAfter < 300 {
			t.Fatalf("to the end: %+v", report)
		}
	}
	if b.count() != 350 || b.changes() != 350 {
		t.Errorf("there are %d items and %d changes, want 350", b.count(), b.changes())
	}
	if n := value[int](b, "SELECT count(DISTINCT name) FROM item"); n != 350 {
		t.Errorf("there are %d names, want 350", n)
	}
}

func TestImport_ReportsThisRunAndAllRuns(t *testing.T) {
	b := setup(t)
	b.importLines(b.ctx, lines(1, 2)+"{}\n", ImportOptions{Key: "k"})
	report := b.importLines(b.ctx, lines(1, 2)+"{}\n"+lines(4, 7)+"{}\n{}\n", ImportOptions{Key: "k"})
	if report.ResumedAfter != 3 || report.ImportCount != (ImportCount{Line: 9, Created: 6, Rejected: 3}) || len(report.Errors) != 2 {
		t.Errorf("overall: %+v", report)
	}
	if run := report.Run(); run != (ImportCount{Line: 9, Created: 4, Rejected: 2}) {
		t.Errorf("this run: %+v", run)
	}
}

func TestImport_RefusesAKeyOfOtherLines(t *testing.T) {
	b := setup(t)
	first := lines(1, 3) + `{"name":"cut of`
	b.importLines(b.ctx, first, ImportOptions{Key: "k"})
	for name, other := range map[string]string{
		"others": lines(11, 20), "fewer": lines(1, 2), "none": "", "one of them changed": strings.Replace(first, "item 2", "item two", 1) + "\n" + lines(5, 6),
		"the last one is whole by now": lines(1, 3) + `{"name":"cut off"}` + "\n" + lines(5, 6),
	} {
		report, err := b.items.Import(b.ctx, strings.NewReader(other), ImportOptions{Key: "k"})
		if !problem.Is(err, problem.Conflict) || report.Read() != 0 {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
	if b.count() != 3 {
		t.Errorf("there are %d items, want 3", b.count())
	}
	for name, same := range map[string]string{"the same": first, "other line ends": strings.ReplaceAll(first, "\n", "\r\n"), "a line end at the end": first + "\n"} {
		if report := b.importLines(b.ctx, same, ImportOptions{Key: "k"}); report.ResumedAfter != 4 || b.count() != 3 {
			t.Errorf("%s: %+v", name, report)
		}
	}
	if report := b.importLines(b.ctx, first+"\n"+lines(5, 6), ImportOptions{Key: "k"}); report.Run().Created != 2 || b.count() != 5 {
		t.Errorf("with added lines: %+v", report)
	}
	b.exec("UPDATE item_import SET digest = NULL") // as in an import from before digests
	if report := b.importLines(b.ctx, first+"\n"+lines(5, 7), ImportOptions{Key: "k"}); report.ResumedAfter != 6 || report.Run().Created != 1 {
		t.Errorf("without a digest: %+v", report)
	}
}

func TestImport_AgainStartsFromTheFirstLineAndCanBeResumed(t *testing.T) {
	b := setup(t)
	b.importLines(b.ctx, lines(1, 150), ImportOptions{Key: "k"})
	ctx, cancel := context.WithCancel(b.ctx)
	report, err := b.items.Import(ctx, strings.NewReader(lines(1, 150)), ImportOptions{Key: "k", Again: true, Progress: func(ImportCount) { cancel() }})
	if !errors.Is(err, context.Canceled) || report.ResumedAfter != 0 || report.Created != 100 {
		t.Fatalf("again: %+v, %v", report, err)
	}
	report = b.importLines(b.ctx, lines(1, 150), ImportOptions{Key: "k"})
	if report.ResumedAfter != 100 || report.ImportCount != (ImportCount{Line: 150, Created: 150}) || b.count() != 300 {
		t.Errorf("resumed: %+v, %d items", report, b.count())
	}
	if report := b.importLines(b.ctx, lines(1, 2), ImportOptions{Key: "new", Again: true}); report.Created != 2 {
		t.Errorf("again, for the first time: %+v", report)
	}
}

func TestImport_UsersDoNotShareKeys(t *testing.T) {
	b := setup(t)
	b.importLines(b.ctx, lines(1, 2), ImportOptions{Key: "1"})
	if report := b.importLines(b.as(account.All()...), lines(3, 4), ImportOptions{Key: "1"}); report.ResumedAfter != 0 || report.Created != 2 {
		t.Errorf("another user's import with the same key: %+v", report)
	}
}

func TestImport_TwoConcurrentRunsOfOneKeyMakeNoDuplicates(t *testing.T) {
	b := setup(t)
	whole := lines(1, 500)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if _, err := b.items.Import(b.ctx, strings.NewReader(whole), ImportOptions{Key: "k"}); err != nil && !problem.Is(err, problem.Conflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if report := b.importLines(b.ctx, whole, ImportOptions{Key: "k"}); report.Created != 500 || report.Read() != 500 || b.count() != 500 {
		t.Errorf("%+v, %d items", report, b.count())
	}
}

func TestImport_ReportsFaultsOfTheContractAndTheRulesTogether(t *testing.T) {
	b := setup(t)
	old := b.create(`{"name":"old"}`)
	b.field("year", "number")
	if _, err := b.items.CreateField(b.ctx, Field{Key: "title", Kind: "text", Required: true}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, line   string
		createFields bool
		want         string
	}{
		{name: "a field and rules", line: `{"name":" ","color":"red","metadata":{"year":"x","unknown":1}}`,
			want: "#/color #/name #/metadata/title #/metadata/unknown #/metadata/year"},
		{name: "an id", line: `{"id":"no","name":"","metadata":{"year":"x"}}`, want: "#/id #/name #/metadata/title #/metadata/year"},
		{name: "one that both see is told once", line: `{"name":"","tags":[""],"metadata":{"title":"t","year":[]}}`, want: "#/metadata/year #/name #/tags/0"},
		{name: "a field that would be made", line: `{"name":" ","color":"red","metadata":{"title":"t","unknown":1}}`, createFields: true, want: "#/color #/name"},
		{name: "metadata as it is", line: `{"id":"` + old.ID.String() + `","name":" ","color":"red"}`, want: "#/color #/name"},
		{name: "metadata that is no object", line: `{"name":" ","metadata":[1]}`, createFields: true, want: "#/metadata"},
		{name: "a type that cannot be decoded", line: `{"name":" ","duration":"long"}`, want: "#/duration"},
		{name: "what Postgres cannot keep", line: `{"name":" ","producer":"\u0000","metadata":{"title":"\u0000"}}`, createFields: true,
			want: "#/producer #/metadata/title #/name"},
		{name: "no JSON", line: `{"name":" ","name":" "}`, want: "#/name"},
	} {
		report := b.importLines(b.ctx, c.line+"\n"+`{"name":"good","metadata":{"title":"t"}}`, ImportOptions{CreateFields: c.createFields})
		if report.Created != 1 || report.Rejected != 1 {
			t.Errorf("%s: %+v", c.name, report)
			continue
		}
		var got []string
		for _, f := range report.Errors[0].Error.Faults {
			got = append(got, f.Pointer)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, report.Errors[0].Error, c.want)
		}
	}
	if fields, err := b.items.Fields(b.ctx); err != nil || len(fields) != 2 {
		t.Errorf("a rejected line created a field: %v, %v", fields, err)
	}
	if got := b.decode([]byte(value[string](b, "SELECT convert_from(document, 'UTF8') FROM item WHERE id = $1", old.ID))); got.Revision != 1 {
		t.Errorf("a rejected line changed an item: %+v", got)
	}
}

func TestImport_RespectsTheLimitOfFields(t *testing.T) {
	b := setup(t)
	var input strings.Builder
	for n := range maxFields + 1 {
		fmt.Fprintf(&input, "{\"name\":\"n\",\"metadata\":{\"key_%d\":1}}\n", n)
	}
	if report := b.importLines(b.ctx, input.String(), ImportOptions{CreateFields: true}); report.Created != maxFields || report.Rejected != 1 {
		t.Errorf("got %+v", report.ImportCount)
	}
}

func TestImport_TwoConcurrentRunsMayCreateTheSameFields(t *testing.T) {
	b := setup(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			report, err := b.items.Import(b.ctx, strings.NewReader(`{"name":"n","metadata":{"a":1,"b":"x","c":true}}`), ImportOptions{CreateFields: true})
			if err != nil || report.Created != 1 {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
	group.Wait()
}
