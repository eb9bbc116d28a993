package change

import (
	"testing"
	"time"
	"fmt"
	"itemcast/internal/db/dbsqlc"
	"github.com/google/uuid"
)

func TestZZ(t *testing.T) {
	b := setup(t)
	b.snapshot()
	q := dbsqlc.New(b.pool)
	timeOf := func(what string, f func() error) {
		start := time.Now()
		if err := f(); err != nil { t.Fatal(err) }
		fmt.Println(what, time.Since(start))
	}
	for _, n := range []int64{5000, 200000, 1000000} {
		b.exec("INSERT INTO consumer_position SELECT 'c', g FROM generate_series((SELECT coalesce(max(position),0)+1 FROM consumer_position), $1::bigint) g", n)
		b.exec("INSERT INTO feed_head SELECT g, g, 0, '{}', '{}' FROM generate_series((SELECT max(step)+1 FROM feed_head), $1::bigint) g", n)
		_ = q.DeleteConsumerPositionsBefore(b.ctx, dbsqlc.DeleteConsumerPositionsBeforeParams{Consumer: "c", Position: n})
		_ = q.DeleteHeadsBefore(b.ctx, n)
		timeOf(fmt.Sprint(n, " dead: consumer delete"), func() error { return q.DeleteConsumerPositionsBefore(b.ctx, dbsqlc.DeleteConsumerPositionsBeforeParams{Consumer: "c", Position: n}) })
		timeOf(fmt.Sprint(n, " dead: head delete"), func() error { return q.DeleteHeadsBefore(b.ctx, n) })
		timeOf(fmt.Sprint(n, " dead: head read"), func() error { _, err := q.Head(b.ctx); return err })
	}
	// many rolled back gaps under an open writer
	n := b.idleNode()
	b.write(uuid.New())
	for _, g := range []int64{1000, 10000, 100000} {
		b.exec("SELECT setval('item_change_id', (SELECT last_value FROM item_change_id) + $1)", g)
		b.commit(uuid.New()); n.drain(); n.drain()
		b.commit(uuid.New())
		timeOf(fmt.Sprint(g, " more gaps: step"), func() error { _, err := n.sequencer.step(b.ctx); return err })
	}
}
