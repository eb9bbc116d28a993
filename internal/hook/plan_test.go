package hook

import (
	"testing"

	"github.com/google/uuid"
	"itemcast/internal/db/dbsqlc"
	"itemcast/internal/change"
	"strings"
)

func TestTmpPlans(t *testing.T) {
	b := setup(t)
	h, _ := b.hook("https://example.com")
	for _, st := range []string{
		`INSERT INTO delivery (id, account_id, hook_id, item_id, change_id, position, due_at, state) SELECT gen_random_uuid(), '` + b.account.String() + `', '` + h.ID.String() + `', gen_random_uuid(), i, i, CASE WHEN i > 100000 THEN now() END, CASE WHEN i > 100000 THEN 'pending' ELSE 'succeeded' END FROM generate_series(1,300000) i`,
		"ANALYZE delivery", "ANALYZE hook",
	} {
		if _, err := b.pool.Exec(b.ctx, st); err != nil { t.Fatal(err) }
	}
	conn, err := b.pool.Acquire(b.ctx)
	if err != nil { t.Fatal(err) }
	defer conn.Release()
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		conn.Exec(b.ctx, "SET plan_cache_mode = "+mode)
		conn.Exec(b.ctx, "LOAD 'auto_explain'")
		for _, st := range []string{"SET auto_explain.log_min_duration=0", "SET auto_explain.log_analyze=on", "SET client_min_messages=log"} {
			if _, err := conn.Exec(b.ctx, st); err != nil { t.Fatal(err) }
		}
		q := dbsqlc.New(conn)
		rows, err := q.ClaimDeliveries(b.ctx, dbsqlc.ClaimDeliveriesParams{HookIds: []uuid.UUID{h.ID}, Slots: []int32{64}, Claim: uuid.New(), Lease: 25})
		if err != nil || len(rows) != 64 { t.Fatal(err, len(rows)) }
		var os []outcome
		for _, r := range rows { os = append(os, outcome{id: r.ID, hook: h.ID, item: r.ItemID}) }
		q.WriteResults(b.ctx, resultParams(os))
		p := dbsqlc.PromoteNextParams{}
		for _, r := range rows { p.HookIds = append(p.HookIds, h.ID); p.ItemIds = append(p.ItemIds, r.ItemID) }
		q.PromoteNext(b.ctx, p)
		q.DueHooks(b.ctx)
		var d []*change.Change
		for i := range 300 { d = append(d, &change.Change{ID: int64(1000000+i), Position: 1000000, AccountID: b.account, ItemID: uuid.New(), Kind: change.Created}) }
		q.InsertDeliveries(b.ctx, deliveries(d, []dbsqlc.ActiveHooksOfRow{{ID: h.ID, AccountID: b.account, Events: []string{ItemCreated}}}))
	}
	_ = strings.ToLower
}
