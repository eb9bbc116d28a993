package change

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// model computes what must be in the log from what the writers did. Positions and draws are counted from the start of
// one check.
type model struct {
	*node
	start Position // the log's head before the check
	items []uuid.UUID
	open  []*transaction
	draws int // change ids drawn so far

	waiting []entry // committed, and not yet in the log
	log     []entry // in the log, in this order
	read    []entry // by a reader that continues from its last position
}

type transaction struct {
	pgx.Tx
	reader bool
	wrote  []entry
}

// entry is a change; draw is the order of ids.
type entry struct {
	draw     int
	item     uuid.UUID
	revision int64
}

func TestSequencer_AgreesWithItsModelUnderAnyInterleaving(t *testing.T) {
	b := setupCluster(t, nil)
	n := b.idleNode()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{node: n, start: n.feed.Head(), items: newItems(3)}
		defer m.closeAll()
		t.Repeat(map[string]func(*rapid.T){
			"begin":    m.begin,
			"snapshot": m.openReader,
			"write":    m.write,
			"commit":   m.commit,
			"rollback": m.rollback,
			"step":     m.step,
			"read":     m.readOn,
		})
		m.finish(t)
	})
	b.checkLog(n.log())
}

func (m *model) startOne(t *rapid.T, options pgx.TxOptions) *transaction {
	if len(m.open) == 4 {
		t.Skip("four transactions are open")
	}
	tx, err := m.bundle.pool.BeginTx(m.ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	m.open = append(m.open, &transaction{Tx: tx})
	return m.open[len(m.open)-1]
}

// begin opens a transaction, which draws its xid at once or with the first write.
func (m *model) begin(t *rapid.T) {
	tx := m.startOne(t, pgx.TxOptions{})
	if rapid.Bool().Draw(t, "xid at once") {
		must(t, run(m.ctx, tx, "SELECT pg_current_xact_id()"))
	}
}

func (m *model) openReader(t *rapid.T) {
	tx := m.startOne(t, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	tx.reader = true
	must(t, run(m.ctx, tx, "SELECT count(*) FROM feed_head"))
}

func (m *model) write(t *rapid.T) {
	item := rapid.SampledFrom(m.items).Draw(t, "item")
	tx := m.pick(t, func(tx *transaction) bool { return !tx.reader && !m.heldByOther(tx, item) })
	revision, err := put(m.ctx, tx, m.account, item)
	must(t, err)
	m.draws++
	tx.wrote = append(tx.wrote, entry{m.draws, item, revision})
}

func (m *model) heldByOther(tx *transaction, item uuid.UUID) bool {
	return slices.ContainsFunc(m.open, func(other *transaction) bool {
		return other != tx && slices.ContainsFunc(other.wrote, func(e entry) bool { return e.item == item })
	})
}

func (m *model) pick(t *rapid.T, suitable func(*transaction) bool) *transaction {
	var found []int
	for i, tx := range m.open {
		if suitable(tx) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		t.Skip("no suitable transaction is open")
	}
	return m.open[rapid.SampledFrom(found).Draw(t, "transaction")]
}

func (m *model) commit(t *rapid.T) {
	tx := m.pick(t, func(*transaction) bool { return true })
	must(t, tx.Commit(m.ctx))
	m.forget(tx)
	m.waiting = append(m.waiting, tx.wrote...)
}

func (m *model) rollback(t *rapid.T) {
	tx := m.pick(t, func(*transaction) bool { return true })
	must(t, tx.Rollback(m.ctx))
	m.forget(tx)
}

func (m *model) forget(tx *transaction) {
	m.open = slices.DeleteFunc(m.open, func(other *transaction) bool { return other == tx })
}

func (m *model) step(t *rapid.T) {
	_, err := m.sequencer.step(m.ctx)
	must(t, err)
	slices.SortFunc(m.waiting, func(a, b entry) int { return a.draw - b.draw })
	m.log = append(m.log, m.waiting...)
	m.waiting = nil
}

// readOn reads the next changes from the feed, and compares all that was read with the log.
func (m *model) readOn(t *rapid.T) {
	must(t, m.feed.catchUp(m.ctx))
	from := m.start + Position(len(m.read))
	changes, err := m.feed.Read(m.ctx, from, rapid.IntRange(1, 10).Draw(t, "limit"))
	must(t, err)
	for i, c := range changes {
		m.read = append(m.read, entry{0, c.ItemID, c.Revision})
		if c.Position != from+Position(i+1) {
			t.Fatalf("position %d follows %d", c.Position, from+Position(i))
		}
	}
	if len(m.read) > len(m.log) {
		t.Fatalf("%d changes were read, the log has only %d", len(m.read), len(m.log))
	}
	for i, got := range m.read {
		if want := m.log[i]; got.item != want.item || got.revision != want.revision {
			t.Fatalf("revision %d of %s was read, want %d of %s", got.revision, got.item, want.revision, want.item)
		}
	}
	if len(changes) == 0 && len(m.read) < len(m.log) {
		t.Fatalf("%d changes were read and no more follow, but the log has %d", len(m.read), len(m.log))
	}
}

// finish ends the open transactions, and checks that the log has all committed changes and that no gap is left.
func (m *model) finish(t *rapid.T) {
	for i, tx := range slices.Clone(m.open) {
		if i%2 == 0 {
			must(t, tx.Commit(m.ctx))
			m.waiting = append(m.waiting, tx.wrote...)
		} else {
			must(t, tx.Rollback(m.ctx))
		}
		m.forget(tx)
	}
	for range 3 { // sequence the new changes; set the horizons of their gaps; drop the gaps
		m.step(t)
	}
	for before := -1; before < len(m.read); {
		before = len(m.read)
		m.readOn(t)
	}
	if len(m.read) != len(m.log) {
		t.Fatalf("%d of %d changes were read", len(m.read), len(m.log))
	}
	if gaps := m.gaps(); len(gaps) > 0 {
		t.Fatalf("gaps are left: %v", gaps)
	}
}

func (m *model) closeAll() {
	for _, tx := range m.open {
		_ = tx.Rollback(context.Background())
	}
	_ = m.sequencer.Drain(m.ctx)
	_ = m.feed.catchUp(m.ctx) // the next check, or attempt to shrink, starts here
}

func run(ctx context.Context, tx pgx.Tx, statement string) error {
	_, err := tx.Exec(ctx, statement)
	return err
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
