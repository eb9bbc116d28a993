package item

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"itemcast/internal/problem"
)

var words = []string{"red", "green", "blue", "metropolis", "über"}

// shelf fills the account with items of every kind. Times and workflows, which clients cannot set, are set by SQL.
func (b *bundle) shelf(n int) []*Item {
	b.t.Helper()
	b.fields()
	profile := uuid.New()
	b.exec("INSERT INTO workflow_profile (id, account_id, name) VALUES ($1, $2, gen_random_uuid()::text)", profile, b.account)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(values []string) string { return values[random.IntN(len(values))] }
	for range n {
		metadata := object{}
		for key, values := range map[string][]any{"text": {"red sky", "x"}, "number": {json.Number("100"), json.Number("0.5")},
			"bool": {true, false}, "date": {"2024-02-29", "2025-01-01"}, "choice": {"red", "green"}} {
			if random.IntN(2) == 0 {
				metadata[key] = values[random.IntN(2)]
			}
		}
		i := b.create(encoded(b.t, object{"name": pick(words) + " " + pick(words), "description": pick(words), "type": pick([]string{"video", "audio", "live"}),
			"privacy": pick([]string{"public", "unlisted", "private"}), "tags": []string{pick(words), pick(words)}, "metadata": metadata}))
		status := pick([]string{"", "running", "waiting", "done"})
		b.exec(`UPDATE item SET created_at = $2, updated_at = $3, workflow_status = nullif($4, ''),
				workflow_profile_id = CASE WHEN $4 <> '' THEN $5::uuid END, document_version = 0 WHERE id = $1`,
			i.ID, epoch.Add(time.Duration(random.IntN(5))*time.Microsecond), epoch.Add(time.Duration(random.IntN(5))*time.Hour), status, profile)
	}
	return b.listed(Filter{}, ByCreated, 200)
}

func anyFilter() *rapid.Generator[Filter] {
	return rapid.Custom(func(t *rapid.T) Filter {
		var f Filter
		some := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
		if some("search") {
			f.Search = rapid.SampledFrom(append(words, "red green", "red -blue", `"red sky"`, "red or blue", "ÜBER", "100", "nowhere", "true")).Draw(t, "search for")
		}
		if some("tags") {
			f.Tags = rapid.SliceOfN(rapid.SampledFrom(append(words, "Red")), 0, 2).Draw(t, "any of")
		}
		if some("types") {
			f.Types = rapid.SliceOfN(rapid.SampledFrom([]ItemType{"video", "audio", "image"}), 0, 2).Draw(t, "type")
		}
		if some("privacies") {
			f.Privacies = rapid.SliceOfN(rapid.SampledFrom([]Privacy{"public", "private"}), 0, 2).Draw(t, "privacy")
		}
		if some("statuses") {
			f.WorkflowStatuses = rapid.SliceOfN(rapid.SampledFrom([]string{"running", "done", "never"}), 0, 2).Draw(t, "status")
		}
		for name, at := range map[string]**time.Time{"after": &f.CreatedAfter, "before": &f.CreatedBefore} {
			if some(name) {
				moment := epoch.Add(time.Duration(rapid.IntRange(-500, 5500).Draw(t, "nanoseconds")))
				*at = &moment
			}
		}
		if some("updated") {
			moment := epoch.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "hours")) * time.Hour)
			f.UpdatedAfter = &moment
		}
		for key, values := range map[string][]string{"text": {"red sky", "X"}, "number": {"100", "1e2", "0.50", "1"}, "bool": {"true", "false"},
			"date": {"2024-02-29"}, "choice": {"red"}} {
			if rapid.IntRange(0, 7).Draw(t, key) == 0 {
				if f.Metadata == nil {
					f.Metadata = map[string]string{}
				}
				f.Metadata[key] = rapid.SampledFrom(values).Draw(t, "value")
			}
		}
		return f
	})
}

// Lists, counts and matchers apply a filter alike, and as its documentation says.
func TestFilter_ListCountAndMatcherAgree(t *testing.T) {
	b := setup(t)
	all := b.shelf(60)
	rapid.Check(t, func(t *rapid.T) {
		f := anyFilter().Draw(t, "filter")
		page, err := b.items.List(b.ctx, f, Paging{Limit: 200})
		must(t, err)
		listed := map[uuid.UUID]bool{}
		for _, i := range page.Items {
			listed[i.ID] = true
		}
		count, err := b.items.Count(b.ctx, f)
		must(t, err)
		if int(count) != len(listed) {
			t.Fatalf("the count is %d, and the list has %d", count, len(listed))
		}
		matcher, err := NewMatcher(b.ctx, b.pool, b.account, f)
		must(t, err)
		for _, i := range all {
			matched := matcher.Match(i)
			if matched != listed[i.ID] {
				t.Fatalf("the matcher says %v and the list %v of %s", matched, listed[i.ID], mustJSON(t, i))
			}
			if f.Search == "" && matched != naive(f, i) {
				t.Fatalf("the matcher says %v of %s", matched, mustJSON(t, i))
			}
		}
	})
}

// naive is the filter's documentation as code, without the search, which Postgres defines.
func naive(f Filter, i *Item) bool {
	metadata := object{}
	_ = json.Unmarshal(i.Metadata, &metadata)
	for key, wanted := range f.Metadata {
		got, ok := metadata[key]
		spelled := map[string]string{"1e2": "100", "0.50": "0.5"}
		if s, ok := spelled[wanted]; ok {
			wanted = s
		}
		if !ok || fmt.Sprint(got) != wanted {
			return false
		}
	}
	status := ""
	if i.Workflow != nil {
		status = i.Workflow.Status
	}
	return (len(f.Tags) == 0 || slices.ContainsFunc(f.Tags, func(tag string) bool { return slices.Contains(i.Tags, tag) })) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, i.Type)) &&
		(len(f.Privacies) == 0 || slices.Contains(f.Privacies, i.Privacy)) &&
		(len(f.WorkflowStatuses) == 0 || slices.Contains(f.WorkflowStatuses, status)) &&
		(f.CreatedAfter == nil || i.CreatedAt.After(*f.CreatedAfter)) &&
		(f.CreatedBefore == nil || i.CreatedAt.Before(*f.CreatedBefore)) &&
		(f.UpdatedAfter == nil || i.UpdatedAt.After(*f.UpdatedAfter))
}

func TestSearch_FindsWordsOfNameTagsDescriptionAndMetadata(t *testing.T) {
	b := setup(t)
	b.fields()
	b.create(`{"name":"Metropolis","description":"a silent film","tags":["robot"],"metadata":{"text":"Babelsberg","number":1927}}`)
	b.create(`{"name":"Nosferatu"}`)
	for search, want := range map[string]int{"metropolis": 1, "SILENT": 1, "robot": 1, "babelsberg": 1, "1927": 1, "metropolis nosferatu": 0,
		"metropolis or nosferatu": 2, "-metropolis": 1, `"silent film"`: 1, `"film silent"`: 0} {
		if got := b.listed(Filter{Search: search}, ByName, 10); len(got) != want {
			t.Errorf("%s finds %v, want %d", search, names(got), want)
		}
	}
}

// Garbage finds nothing or is refused; it never causes an internal error.
func TestSearch_GarbageIsNoInternalError(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n"}`)
	check := func(t fataler, search string) {
		_, err := b.items.List(b.ctx, Filter{Search: search}, Paging{Limit: 5})
		if problem.Is(err, problem.InvalidInput) && (utf8.RuneCountInString(search) > maxSearch || idleDashes(search) > maxIdleDashes) {
			return
		}
		must(t, err)
		matcher, err := NewMatcher(b.ctx, b.pool, b.account, Filter{Search: search})
		must(t, err)
		matcher.Match(i)
	}
	for _, search := range []string{`"`, `""`, "-", "--", ":*&|!()", "😀", "' OR 1=1 --", `\`, "%", "<->", " ", "\t\n", strings.Repeat("a", 500), strings.Repeat("a b -c ", 70),
		strings.Repeat("a", 5000), strings.Repeat("-", 16), strings.Repeat("-", 300)} {
		check(t, search)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, strings.ReplaceAll(rapid.String().Draw(t, "search"), "\x00", "")) })
}
