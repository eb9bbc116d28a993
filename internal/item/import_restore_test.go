package item

import (
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

const oldDocument = `{"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"a","privacy":"public","created_at":"2020-01-02T03:04:05.123456789Z",` +
	`"updated_at":"2021-01-01T00:00:00Z","published_at":"2020-06-01T02:00:00+02:00","revision":7}`

func TestImport_KeepsTimesOnRequest(t *testing.T) {
	b := setup(t)
	times := func() string {
		i := b.listed(Filter{}, ByName, 10)[0]
		return strings.Join([]string{i.CreatedAt.Format("2006-01-02T15:04:05.999999"), i.UpdatedAt.Format("2006"), i.PublishedAt.Format("2006-01-02T15")}, " ")
	}
	b.importLines(b.ctx, oldDocument, ImportOptions{})
	if got := times(); strings.HasPrefix(got, "2020") {
		t.Errorf("without keep_times: %s", got)
	}
	// An item that exists gets the times, but updated_at tells of this change.
	if report := b.importLines(b.ctx, oldDocument, ImportOptions{KeepTimes: true}); report.Updated != 1 {
		t.Errorf("got %+v", report)
	}
	if got := times(); !strings.HasPrefix(got, "2020-01-02T03:04:05.123456 ") || !strings.HasSuffix(got, " 2020-06-01T00") || strings.Contains(got, " 2021 ") {
		t.Errorf("restored over the item: %s", got)
	}
	b.exec("UPDATE item SET document_version = 0") // it is rendered from its columns
	if report := b.importLines(b.ctx, oldDocument, ImportOptions{KeepTimes: true}); report.Unchanged != 1 {
		t.Errorf("again: %+v", report)
	}
	b.exec("DELETE FROM item")
	if report := b.importLines(b.ctx, oldDocument, ImportOptions{KeepTimes: true}); report.Created != 1 {
		t.Errorf("got %+v", report)
	}
	if got, i := times(), b.listed(Filter{}, ByName, 10)[0]; got != "2020-01-02T03:04:05.123456 2021 2020-06-01T00" || i.Revision != 9 { // the log has 8
		t.Errorf("restored: %s, revision %d", got, i.Revision)
	}
}

func TestImport_KeepTimesNeedsUsersManageAndRightTimes(t *testing.T) {
	b := setup(t)
	if _, err := b.items.Import(b.as(without(account.UsersManage)...), strings.NewReader(oldDocument), ImportOptions{KeepTimes: true}); !problem.Is(err, problem.Forbidden) {
		t.Errorf("got %v", err)
	}
	report := b.importLines(b.ctx, `{"name":" ","created_at":"yesterday","updated_at":5,"revision":0}`, ImportOptions{KeepTimes: true})
	if report.Rejected != 1 {
		t.Fatalf("got %+v", report)
	}
	var at []string
	for _, f := range report.Errors[0].Error.Faults {
		at = append(at, f.Pointer)
	}
	for _, want := range []string{"#/created_at", "#/updated_at", "#/revision", "#/name"} {
		if !strings.Contains(strings.Join(at, " "), want) {
			t.Errorf("no fault at %s: %v", want, at)
		}
	}
	report = b.importLines(b.ctx, `{"name":"new","created_at":"2020-01-01T00:00:00Z"}`+"\n"+`{"name":"without times"}`, ImportOptions{KeepTimes: true})
	if report.Created != 2 {
		t.Errorf("got %+v", report)
	}
	if i := b.listed(Filter{}, ByName, 10)[0]; i.CreatedAt.Year() != 2020 || i.UpdatedAt.Year() == 2020 || i.Revision != 1 {
		t.Errorf("got %+v", i)
	}
}

func TestImport_DefinesMetadataFields(t *testing.T) {
	b := setup(t)
	b.field("year", "number")
	define := func(field string) string { return `{ "metadata_field" : ` + field + `}` + "\n" }
	input := define(`{"key":"year","label":"Jahr","kind":"number"}`) + define(`{"key":"day","kind":"date","required":true}`) +
		define(`{"key":"year","kind":"text"}`) + define(`{"key":"Bad Key","kind":"film"}`) + define(`{"key":"x","kind":"text","color":1}`) +
		`{"name":"a","metadata":{"day":"1927-01-10","year":1927}}` + "\n"
	report := b.importLines(b.ctx, input, ImportOptions{})
	if report.Created != 2 || report.Updated != 1 || report.Rejected != 3 {
		t.Errorf("got %+v", report)
	}
	if got := b.fieldLines(); got != "day date day\nyear number Jahr" {
		t.Errorf("got %s", got)
	}
	if detail := report.Errors[0].Error.Faults[0]; detail.Pointer != "#/metadata_field/kind" || !strings.Contains(detail.Detail, "the field year exists with the kind number") {
		t.Errorf("got %+v", detail)
	}
	same := define(`{"key":"year","label":"Jahr","kind":"number"}`)
	if report := b.importLines(b.as(without(account.WorkflowsManage)...), same+define(`{"key":"new","kind":"text"}`), ImportOptions{}); report.Unchanged != 1 ||
		report.Rejected != 1 || report.Errors[0].Error.Code != problem.Forbidden {
		t.Errorf("without workflows.manage: %+v", report)
	}
}
