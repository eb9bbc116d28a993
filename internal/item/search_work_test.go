package item

import (
	"testing"

	"itemcast/internal/db"
)

// The planner takes criteria for independent of each other and of the list's order, and would walk through all items
// for words that are never together, or for a tag that only the oldest items have.
func TestSearch_LooksAtFewItemsWhateverTheCriteria(t *testing.T) {
	b := setup(t)
	const items, most = 40_000, 12_000
	b.exec(`INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data, created_at,
			updated_at, revision, document, document_version, search)
		SELECT gen_random_uuid(), $1, 'item ' || n, '', 'video', 'private', CASE WHEN n <= 800 THEN '{old}'::text[] ELSE '{}' END,
			jsonb_build_object('year', n % 20000), '{}', 'epoch'::timestamptz + n * interval '1 s', now(), 1, '{}', $2,
			(CASE n % 3 WHEN 0 THEN 'third:1' WHEN 1 THEN 'odd:1' ELSE 'even:1' END || CASE WHEN n <= 4000 THEN ' x' || n || ':2' ELSE '' END)::tsvector
		FROM generate_series(1, $3::int) n`, b.account, b.items.version, items)
	b.exec("ANALYZE item")
	b.field("year", "number")
	b.items.allRenewed.Store(true)
	for name, c := range map[string]struct {
		filter Filter
		want   int
	}{
		"a frequent word":             {Filter{Search: "odd"}, 50},
		"words that never meet":       {Filter{Search: "odd even"}, 0},
		"a phrase that is never":      {Filter{Search: `"odd even"`}, 0},
		"a frequent word, excluded":   {Filter{Search: "-odd"}, 50},
		"a rare word":                 {Filter{Search: "x123"}, 11}, // and what begins with it
		"no word":                     {Filter{Search: "nothing"}, 0},
		"a letter of the oldest":      {Filter{Search: "x"}, 50},
		"a tag of the oldest":         {Filter{Tags: []string{"old"}}, 50},
		"a tag and a word":            {Filter{Tags: []string{"old"}, Search: "odd"}, 50},
		"metadata":                    {Filter{Metadata: map[string]string{"year": "7"}}, 2},
		"metadata that never meets a": {Filter{Metadata: map[string]string{"year": "7"}, Search: "even"}, 0},
	} {
		for _, sort := range []Sort{ByCreatedDesc, ByName, ByRelevance} {
			ctx, tx, err := db.Begin(b.ctx, b.pool, 0)
			must(t, err)
			// The first five executions of a connection have custom plans.
			_, err = db.Read(ctx, b.pool).Exec(ctx, "SET LOCAL plan_cache_mode = force_custom_plan")
			must(t, err)
			read := func() (rows int) {
				err := db.Read(ctx, b.pool).QueryRow(ctx, `SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
					WHERE relname = 'item'`).Scan(&rows)
				must(t, err)
				return rows
			}
			before := read()
			page, err := b.items.List(ctx, c.filter, Paging{Sort: sort, Limit: 50})
			must(t, err)
			examined := read() - before
			tx.Rollback()
			if len(page.Items) != c.want || examined > most {
				t.Errorf("%s by %s: %d items of %d examined, want %d", name, sort, len(page.Items), examined, c.want)
			}
		}
	}
}
