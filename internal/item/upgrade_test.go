package item

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"

	"itemcast/internal/db/dbtest"
)

// The rows are as a build before the migrations 00108 to 00116 left them: decomposed text, escaped client data, words
// that Postgres made, and times that no JSON can have.
func TestUpgrade_OldRowsAreRightBeforeAndAfterTheyAreRenewed(t *testing.T) {
	t.Parallel()
	pool := dbtest.Earlier(t, "00107")
	old := &bundle{t: t, pool: pool}
	accountID := uuid.New()
	old.exec("INSERT INTO account (id, name) VALUES ($1, 'old')", accountID)
	const insertRole = "INSERT INTO role (id, account_id, name) VALUES (gen_random_uuid(), $1, $2)"
	old.exec(insertRole, accountID, "Re\u0301dacteur")
	old.exec(`INSERT INTO workflow_profile (id, account_id, name) VALUES (gen_random_uuid(), $1, $2),
		(gen_random_uuid(), $1, $3), (gen_random_uuid(), $1, $4)`, accountID, "Pru\u0308fung", "Cafe\u0301", "Caf\u00e9")
	old.exec(`INSERT INTO metadata_field (id, account_id, key, label, kind, choices)
		VALUES (gen_random_uuid(), $1, 'place', $2, 'choice', $3)`, accountID, "Ort (Cafe\u0301)",
		[]string{"Cafe\u0301", "Caf\u00e9", "Bar"})
	insert := func(name, description string, tags []string, metadata, clientData, createdAt, publishedAt string) (id uuid.UUID) {
		t.Helper()
		id = uuid.New()
		old.exec(`INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data,
				created_at, updated_at, published_at, revision, document, document_version)
			VALUES ($1, $2, $3, $4, 'video', 'public', $5, $6, $7, $8::text::timestamptz, now(), $9::text::timestamptz, 7,
				'old', 0)`, id, accountID, name, description, tags, metadata, clientData, createdAt, publishedAt)
		return id
	}
	composed := insert("Löwenthal at www.example.com", "on tape", []string{"film"}, "{}", `{"a":"\u0026\u003c\\u0026"}`,
		"2020-01-01", "2020-01-02")
	decomposed := insert("A\u0308ther", "", []string{"cafe\u0301", "film"}, `{"place":"Cafe`+"\u0301"+`"}`, "{}", "2020-01-03",
		"2020-01-04")
	far := insert("Zebra", "", []string{}, "{}", "{}", "12026-01-01", "0044-03-15 BC")
	insert("Ather & more", "", []string{}, "{}", "{}", "2020-01-05", "2020-01-06")

	dbtest.Migrate(t, pool)
	b := bundleOn(t, pool)
	b.account = accountID
	b.ctx = b.as(account.All()...)
	want := func(found map[string]int64) {
		t.Helper()
		for search, n := range found {
			if got, err := b.items.Count(b.ctx, Filter{Search: search}); err != nil || got != n {
				t.Errorf("%s: found %d, %v, want %d", search, got, err, n)
			}
		}
	}
	want(map[string]int64{"löwenthal": 1, "LÖWENTHAL": 1, "www.example.com": 1, "tape -zebra": 1, "film": 2, "-film": 2})
	if page, err := b.items.List(b.ctx, Filter{}, Paging{Sort: ByName, Limit: 10}); err != nil || len(page.Items) != 4 {
		t.Fatalf("listed: %+v, %v", page, err) // which renews what is listed
	}
	for range 2 { // the second time there are none
		_, err := b.items.renewAll(b.ctx)
		must(t, err)
	}
	want(map[string]int64{"lowenthal": 1, "ather": 2, "äther": 2, "example": 1, "www.exam": 1, "cafe": 1, "film": 2, "-film": 2})
	if got := names(b.listed(Filter{}, ByName, 2)); !slices.Equal(got, []string{"Äther", "Ather & more", "Löwenthal at www.example.com", "Zebra"}) {
		t.Errorf("by name: %q", got)
	}
	for tag, n := range map[string]int{"caf\u00e9": 1, "cafe\u0301": 1, "film": 2} {
		if got := b.listed(Filter{Tags: []string{tag}}, ByName, 10); len(got) != n {
			t.Errorf("tag %q: %d items", tag, len(got))
		}
	}
	get := func(id uuid.UUID) string {
		t.Helper()
		document, err := b.items.Get(b.ctx, id)
		must(t, err)
		return string(document.Bytes)
	}
	for id, texts := range map[uuid.UUID][]string{
		composed:   {`"client_data":{"a":"&<\\u0026"}`, `"revision":7`, `"created_at":"2020-01-01T00:00:00.000000Z"`},
		decomposed: {`"name":"Äther"`, `"tags":["café","film"]`, `"metadata":{"place":"Café"}`, `"revision":8`},
		far:        {`"created_at":"9999-12-31T23:59:59.999999Z"`, `"published_at":"0001-01-01T00:00:00.000000Z"`, `"revision":7`},
	} {
		for _, text := range texts {
			if got := get(id); !strings.Contains(got, text) {
				t.Errorf("%s lacks %s", got, text)
			}
		}
	}
	b.patch(far, `{"name":"Zebra 2"}`)
	must(t, b.items.Delete(b.ctx, far, nil))
	for query, want := range map[string]string{
		"SELECT string_agg(name, ' ') FROM role WHERE account_id = $1":                                         "Rédacteur",
		"SELECT string_agg(name, ' ' ORDER BY name COLLATE \"C\") FROM workflow_profile WHERE account_id = $1": "Cafe\u0301 Café Prüfung",
		"SELECT label || ' ' || array_to_string(choices, ' ') FROM metadata_field WHERE account_id = $1":       "Ort (Café) Café Bar",
	} {
		if got := value[string](b, query, accountID); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}
