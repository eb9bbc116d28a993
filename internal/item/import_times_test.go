package item

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"itemcast/internal/problem"
)

// A document with such a time could not be decoded, and its JSON would break every client.
func TestImport_RejectsTimesOutsideTheYearsOfRFC3339(t *testing.T) {
	b := setup(t)
	for _, at := range []string{"9999-12-31T23:59:59-10:00", "0000-01-01T00:00:00+10:00", "0000-06-01T00:00:00Z"} {
		for _, field := range []string{"created_at", "updated_at", "published_at"} {
			line := fmt.Sprintf(`{"name":"a","privacy":"public","revision":1,%q:%q}`, field, at)
			report := b.importLines(b.ctx, line, ImportOptions{KeepTimes: true})
			if report.Rejected != 1 || report.Errors[0].Error.Faults[0] != (problem.Fault{Pointer: "#/" + field,
				Detail: "must be in the years 1 to 9999 in UTC"}) {
				t.Errorf("%s: got %+v", line, report)
			}
		}
	}
}

// Whatever time an import restores, the item is in every list and every export.
func TestLists_HaveTheItemsOfAllYears(t *testing.T) {
	b := setup(t)
	var input strings.Builder
	for _, at := range []string{"0001-01-01T00:00:00Z", "1895-12-28T21:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
		"2026-01-31T12:00:00Z", "9999-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"} {
		fmt.Fprintf(&input, `{"name":%q,"privacy":"public","created_at":%[1]q,"updated_at":%[1]q,"published_at":%[1]q,"revision":1}`+"\n", at)
	}
	if report := b.importLines(b.ctx, input.String(), ImportOptions{KeepTimes: true}); report.Created != 7 {
		t.Fatalf("got %+v", report)
	}
	for _, sort := range []Sort{ByCreated, ByCreatedDesc, ByUpdated, ByUpdatedDesc, ByName, ByNameDesc} {
		for _, filter := range []Filter{{}, {Privacies: []Privacy{PrivacyPublic}}} {
			for _, limit := range []int{1, 3, 500} {
				if got := b.listed(filter, sort, limit); len(got) != 7 {
					t.Errorf("%s, pages of %d: %d items", sort, limit, len(got))
				}
			}
			page, err := b.items.List(b.ctx, filter, Paging{Sort: sort, Limit: 7, Backward: true})
			if err != nil || len(page.Items) != 7 {
				t.Errorf("%s, the last: %d items, %v", sort, len(page.Items), err)
			}
			var out bytes.Buffer
			if err := b.items.Export(b.ctx, &out, filter, &ExportOptions{Sort: sort}); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != 7 {
				t.Errorf("%s: exported %s, %v", sort, out.String(), err)
			}
		}
	}
	for _, i := range b.listed(Filter{}, ByCreated, 7) { // each can change
		b.patch(i.ID, `{"description":"x"}`)
	}
}

func TestImport_RevisionsFollowThoseOfTheFile(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"a"}`)
	line := `{"id":"` + i.ID.String() + `","name":"b","revision":7}`
	for n, want := range []int64{8, 8} { // the second changes nothing
		b.importLines(b.ctx, line, ImportOptions{KeepTimes: true})
		if got := b.listed(Filter{}, ByName, 10)[0]; got.Revision != want {
			t.Errorf("import %d: revision %d, want %d", n+1, got.Revision, want)
		}
	}
	if got := b.patch(i.ID, `{"name":"c"}`); got.Revision != 9 {
		t.Errorf("after a patch: revision %d", got.Revision)
	}
	report := b.importLines(b.ctx, `{"name":"b","revision":1000000001}`, ImportOptions{KeepTimes: true})
	if report.Rejected != 1 {
		t.Errorf("above GraphQL's Int: %+v", report)
	}
}

func TestImport_ColumnsThatItRestoresAreNotReportedAsIgnored(t *testing.T) {
	b := setup(t)
	table := "name,created_at,revision,url\na,2020-01-01T00:00:00Z,7,x\n"
	for keep, want := range map[bool]string{false: "[url created_at revision]", true: "[url]"} {
		report := b.importLines(b.ctx, table, ImportOptions{KeepTimes: keep})
		if got := fmt.Sprint(report.Ignored); got != want {
			t.Errorf("keep_times %v: ignored %s", keep, got)
		}
	}
}

func TestImport_HasWhatPrecedesAFault(t *testing.T) {
	b := setup(t)
	report, err := b.items.Import(b.ctx, strings.NewReader("[{\"name\":\"a\"},\n{\"name\":\"b\"},\n{\"na"), ImportOptions{})
	if !problem.Is(err, problem.BadRequest) || report.Created != 2 || report.Line != 2 {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestImport_ChecksRestoredMetadataWhenADefinitionWasRejected(t *testing.T) {
	b := setup(t)
	b.field("year", "number")
	report := b.importLines(b.ctx, `{"metadata_field":{"key":"year","label":"Year","kind":"text"}}`+"\n"+
		`{"name":"a","metadata":{"year":"MCMXXVII"},"revision":1}`+"\n"+`{"name":"b","metadata":{"year":1927},"revision":1}`,
		ImportOptions{KeepTimes: true})
	if report.Rejected != 2 || report.Created != 1 || report.Errors[1].Error.Faults[0].Pointer != "#/metadata/year" {
		t.Errorf("got %+v", report)
	}
}

// The run that resumes the import does not read the definition again.
func TestImport_RemembersARejectedDefinitionWhenItResumes(t *testing.T) {
	b := setup(t)
	b.field("year", "number")
	all := `{"metadata_field":{"key":"year","label":"Year","kind":"text"}}` + "\n" +
		strings.Repeat(`{"name":"a","metadata":{"year":1927},"revision":1}`+"\n", importBatch) +
		`{"name":"b","metadata":{"year":"MCMXXVII"},"revision":1}` + "\n"
	options := ImportOptions{KeepTimes: true, Key: "k"}
	half := io.MultiReader(strings.NewReader(all[:len(all)-30]), iotest.ErrReader(errors.New("the connection is gone")))
	report, err := b.items.Import(b.ctx, half, options)
	if !problem.Is(err, problem.BadRequest) || report.Rejected != 1 {
		t.Fatalf("interrupted: %+v, %v", report, err)
	}
	for _, run := range []struct {
		again   bool
		resumed int64
	}{{false, importBatch + 1}, {true, 0}} { // in this order: the first run completes the import
		options.Again = run.again
		report = b.importLines(b.ctx, all, options)
		last := report.Errors[len(report.Errors)-1]
		if report.ResumedAfter != run.resumed || report.Rejected != 2 || last.Error.Faults[0].Pointer != "#/metadata/year" {
			t.Errorf("again %v: %+v", run.again, report)
		}
	}
}
