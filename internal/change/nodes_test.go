package change

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/db"
	"itemcast/internal/soak"
)

func TestFeed_AllNodesReadTheSameLog(t *testing.T) {
	b := setup(t)
	nodes := []*node{b.node(), b.node(), b.node()}
	items := newItems(10)
	var loads []*load
	var followers []*follower
	for i, n := range nodes {
		followers = append(followers, n.follow(0, 1+i*50))
		loads = append(loads, n.load(2, items, i != 2)) // the third does not wake its sequencer
	}
	for _, n := range nodes {
		n.await(400)
	}
	for _, load := range loads {
		load.stop()
	}
	for i, n := range nodes {
		n.settle()
		log := n.log()
		b.checkLog(log)
		followers[i].stop()
		sameLog(t, log, followers[i].log)
		sameLog(t, log, nodes[0].log())
	}
}

func TestSequencer_SweepFindsChangesWithoutAWakeUp(t *testing.T) {
	b := setup(t)
	n := b.node()
	b.commit(newItems(7)...)
	n.await(7)
	b.checkLog(n.log())
}

// nodeVariable makes the test binary a node that writes until it is killed.
const nodeVariable = "ITEMCAST_CHANGE_TEST_NODE"

type nodeConfig struct {
	URL     string
	Account uuid.UUID
	Items   []uuid.UUID
}

func TestMain(m *testing.M) {
	if config := os.Getenv(nodeVariable); config != "" {
		runNode(config)
		return
	}
	os.Exit(m.Run())
}

// runNode writes until the process is killed, or until stdin closes.
func runNode(encoded string) {
	var config nodeConfig
	if err := json.Unmarshal([]byte(encoded), &config); err != nil {
		panic(err)
	}
	ctx := context.Background()
	pool, err := db.Open(ctx, config.URL)
	if err != nil {
		panic(err)
	}
	sequencer := NewSequencer(pool, slog.New(slog.DiscardHandler))
	go func() { _ = sequencer.Run(ctx) }()
	for range 4 {
		go func() {
			for {
				_ = writeOnce(ctx, pool, config.Account, config.Items)
				sequencer.Wake()
			}
		}()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// process starts a node as a separate process, whose connections have the application_name.
func (b *bundle) process(applicationName string, items []uuid.UUID) *exec.Cmd {
	b.t.Helper()
	config, err := json.Marshal(nodeConfig{b.urlWith("application_name", applicationName), b.account, items})
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), nodeVariable+"="+string(config))
	cmd.Stderr = b.t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	return cmd
}

func TestSequencer_KilledNodesLoseAndRepeatNothing(t *testing.T) {
	b := setup(t)
	survivor := b.node()
	items := newItems(5)
	follower := survivor.follow(0, 100)
	load := survivor.load(1, items, false)
	for range soak.Times(2, 10) {
		victim := b.process("victim", items)
		eventually(t, "the victim writes", func() bool {
			return value[bool](b, `SELECT EXISTS (SELECT FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'victim' AND backend_xid IS NOT NULL)`)
		})
		survivor.await(survivor.feed.Head() + 50 + Position(rand.IntN(100)))
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "Postgres has ended the victim's transactions", func() bool {
			return value[bool](b, `SELECT NOT EXISTS (SELECT FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'victim')`)
		})
	}
	load.stop()
	survivor.settle()
	log := survivor.log()
	b.checkLog(log)
	follower.stop()
	sameLog(t, log, follower.log)
	eventually(t, "no gap is left", func() bool { survivor.sequencer.Wake(); return len(b.gaps()) == 0 })
}
