package change

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"itemcast/internal/soak"
)

func TestSequencer_KilledPostgresLosesAndRepeatsNothing(t *testing.T) {
	b := setupCluster(t, map[string]string{"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"})
	nodes := []*node{b.node(), b.node()}
	items := newItems(8)
	followers := []*follower{nodes[0].follow(0, 10), nodes[1].follow(0, 1000)}
	loads := []*load{nodes[0].load(3, items, true), nodes[1].load(3, items, false)}

	for range soak.Times(1, 5) {
		nodes[0].await(nodes[0].feed.Head() + 100 + Position(rand.IntN(100)))
		acknowledged := loads[0].committed.Load() + loads[1].committed.Load()
		b.killPostgres()
		for _, n := range nodes { // without help they write, sequence and read again
			n.await(n.feed.Head() + 50)
		}
		if kept := value[int64](b, "SELECT count(*) FROM item_change"); kept < acknowledged {
			t.Fatalf("%d changes were acknowledged, %d are left", acknowledged, kept)
		}
	}
	for _, l := range loads {
		l.stop()
	}
	for i, n := range nodes {
		n.settle()
		log := n.log()
		b.checkLog(log)
		followers[i].stop()
		sameLog(t, log, followers[i].log)
		sameLog(t, log, nodes[0].log())
	}
	// A node that has seen none of the crashes reads from the database what the others read before them.
	fresh := b.idleNode()
	sameLog(t, fresh.log(), nodes[0].log())
	eventually(t, "no gap is left", func() bool { nodes[0].sequencer.Wake(); return len(b.gaps()) == 0 })
}

// killPostgres kills the postmaster and its children with SIGKILL, and returns when the server answers again.
func (b *bundle) killPostgres() {
	b.t.Helper()
	postmaster, err := strconv.Atoi(value[string](b, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)`))
	if err != nil {
		b.t.Fatal(err)
	}
	children := childrenOf(b.t, postmaster)
	for _, pid := range append([]int{postmaster}, children...) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			b.t.Fatal(err)
		}
	}
	eventually(b.t, "Postgres answers again", func() bool {
		var now string
		err := b.pool.QueryRow(b.ctx, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)`).Scan(&now)
		return err == nil && now != strconv.Itoa(postmaster)
	})
}

func childrenOf(t *testing.T, parent int) (children []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("needs /proc")
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil { // the process has ended
			continue
		}
		var state string
		var ppid int
		_, _ = fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &ppid)
		if pid, err := strconv.Atoi(strings.Split(path, "/")[2]); err == nil && ppid == parent {
			children = append(children, pid)
		}
	}
	return children
}
