package item

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// How rare items are decides whether a walk through the list finds them or an index. The items "old" are more than the
// indexes may find, and not among the first ones of the list.
func TestSearch_PagesMakeTheListHoweverRareTheItemsAre(t *testing.T) {
	b := setup(t)
	other := uuid.New()
	b.addAccount(other)
	for _, account := range []uuid.UUID{b.account, other} {
		b.exec(`INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data, created_at,
				updated_at, revision, document, document_version, search)
			SELECT gen_random_uuid(), $1, 'item ' || n * 7 % 11, '', CASE WHEN n % 2 = 0 THEN 'video' ELSE 'audio' END,
				'private', CASE WHEN n <= 5500 THEN '{old}'::text[] ELSE '{}' END ||
				CASE WHEN n % 250 = 0 THEN '{rare}'::text[] ELSE '{}' END,
				jsonb_build_object('year', n % 300), '{}', 'epoch'::timestamptz + n / 3 * interval '1 s',
				'epoch'::timestamptz + n % 1000 * interval '1 s', 1, '{}', $2,
				(CASE WHEN n % 50 = 0 THEN 'some:1 ' ELSE '' END || 'n' || n || ':2')::tsvector
			FROM generate_series(1, 6000) n`, account, b.items.version)
	}
	b.exec("ANALYZE item")
	b.field("year", "number")
	b.items.allRenewed.Store(true)
	year, third, late := map[string]string{"year": "250"}, time.Unix(1200, 0), time.Unix(998, 0)
	for condition, filter := range map[string]Filter{
		"'rare' = ANY (tags)":                                    {Tags: []string{"rare"}},
		"search @@ 'some'":                                       {Search: "some"},
		"search @@ 'some & n2:*'":                                {Search: "some n2"},
		"search @@ 'some' AND 'rare' = ANY (tags)":               {Search: "some", Tags: []string{"rare"}},
		"NOT search @@ 'some'":                                   {Search: "-some"},
		`metadata @> '{"year":250}'`:                             {Metadata: year},
		`metadata @> '{"year":250}' AND 'old' = ANY (tags)`:      {Metadata: year, Tags: []string{"old"}},
		"'rare' = ANY (tags) AND type = 'audio'":                 {Tags: []string{"rare"}, Types: []ItemType{"audio"}},
		"search @@ 'some' AND created_at < to_timestamp(1200)":   {Search: "some", CreatedBefore: &third},
		"'old' = ANY (tags)":                                     {Tags: []string{"old"}},
		"'old' = ANY (tags) AND updated_at > to_timestamp(998)":  {Tags: []string{"old"}, UpdatedAfter: &late},
		"NOT search @@ 'some' AND created_at < to_timestamp(30)": {Search: "-some", CreatedBefore: new(time.Unix(30, 0))},
		"false": {Tags: []string{"none"}},
	} {
		for _, sort := range sorts {
			order, direction := string(sort.key()), ""
			if sort.key() == ByName {
				order = "lower(name) COLLATE item_name"
			}
			if sort != sort.key() {
				direction = " DESC"
			}
			const most = 40
			want := value[[]uuid.UUID](b, "SELECT ARRAY(SELECT id FROM item WHERE account_id = $1 AND "+condition+
				" ORDER BY "+order+direction+", id"+direction+" LIMIT $2)", b.account, most)
			for _, paging := range []Paging{{Sort: sort, Limit: 9}, {Sort: sort.reverse(), Limit: 9, Backward: true}} {
				if got := b.firstPages(filter, paging, most); !slices.Equal(got, want) {
					t.Errorf("%s, %+v: got %d of %d, or in another order", condition, paging, len(got), len(want))
				}
			}
		}
	}
}

// firstPages returns the ids of the first items of a list, in the order of reading.
func (b *bundle) firstPages(filter Filter, paging Paging, most int) []uuid.UUID {
	b.t.Helper()
	ids := []uuid.UUID{}
	for {
		page, err := b.items.List(b.ctx, filter, paging)
		must(b.t, err)
		listed, more := page.Items, page.HasNext
		if paging.Backward {
			slices.Reverse(listed)
			more = page.HasPrevious
		}
		for _, i := range listed {
			ids = append(ids, i.ID)
			paging.After = i.PageToken()
		}
		if paging.Backward {
			paging.After, paging.Before = "", paging.After
		}
		if !more || len(ids) >= most {
			return ids[:min(len(ids), most)]
		}
	}
}
