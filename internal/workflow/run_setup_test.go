package workflow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// timeout bounds every wait. The events that tests wait for come much sooner.
const timeout = time.Minute

// running is a bundle whose runs move.
type running struct {
	*bundle
	items   *item.Service
	runs    *workflow.Service
	starter *workflow.Starter
	user    context.Context // of an editor with every permission
}

// run returns a bundle with a service that moves runs, as configure says.
func run(t *testing.T, configure func(*workflow.Config)) *running {
	t.Helper()
	r := still(t, configure)
	r.start(r.runs)
	return r
}

// still is run with a service that moves no run.
func still(t *testing.T, configure func(*workflow.Config)) *running {
	t.Helper()
	r := &running{bundle: setup(t)}
	r.user = r.member("Editor", account.All()...)
	r.items, r.starter, r.runs = r.node(configure)
	return r
}

// node returns the services of a node.
func (r *running) node(configure func(*workflow.Config)) (*item.Service, *workflow.Starter, *workflow.Service) {
	r.t.Helper()
	log := slog.New(slog.NewTextHandler(r.t.Output(), nil))
	sequencer := change.NewSequencer(r.pool, log)
	feed, err := change.OpenFeed(r.t.Context(), r.pool, log)
	if err != nil {
		r.t.Fatal(err)
	}
	accept := func([]byte) *problem.Error { return nil }
	starter := workflow.NewStarter(log)
	items := item.NewService(item.Config{Pool: r.pool, Feed: feed, Sequencer: sequencer, Check: accept, CheckPatch: accept,
		PublicURL: "https://items.example", Workflows: starter, Log: log})
	config := workflow.Config{Pool: r.pool, Log: log, Changed: func() {}, Starter: starter, Items: items,
		Moves: r.openQueue(false), JobsPool: r.openQueue(true)}
	if configure != nil {
		configure(&config)
	}
	return items, starter, workflow.NewService(config)
}

func (r *running) openQueue(async bool) *pgxpool.Pool {
	r.t.Helper()
	pool, err := db.OpenQueue(r.t.Context(), r.pool, db.QueueOptions{MaxConns: 6, AsyncCommit: async})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(pool.Close)
	return pool
}

// start runs a service. stop ends it, as the end of the test does.
func (r *running) start(service *workflow.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = service.Run(ctx)
	}()
	stop = func() { cancel(); <-ended }
	r.t.Cleanup(stop)
	return stop
}

// member inserts a user with a role, and returns a context with them.
func (r *running) member(role string, permissions ...account.Permission) context.Context {
	r.t.Helper()
	id := uuid.New()
	const insert = `INSERT INTO app_user (id, account_id, email, name, kind, password_hash, role_id)
		VALUES ($1, $2, $3, 'A member', 'person', 'x', $4)`
	email := id.String() + "@example.com"
	r.exec(insert, id, r.account, email, r.roles[role])
	return account.WithActor(r.t.Context(), account.Actor{AccountID: r.account, UserID: id, RoleID: r.roles[role],
		Role: role, Email: email, Permissions: append(permissions, account.APIAccess),
		Proof: account.Proof{Credentials: account.CredentialsOf(email, "x")}})
}

func (r *running) exec(statement string, args ...any) {
	r.t.Helper()
	if _, err := r.pool.Exec(r.t.Context(), statement, args...); err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
}

func value[T any](r *running, query string, args ...any) (v T) {
	r.t.Helper()
	if err := r.pool.QueryRow(r.t.Context(), query, args...).Scan(&v); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// profile inserts a profile with a definition.
func (r *running) profile(d machine.Definition) uuid.UUID {
	r.t.Helper()
	if d.Actions == nil {
		d.Actions = []machine.Action{}
	}
	if d.Tasks == nil {
		d.Tasks = []machine.Task{}
	}
	id := uuid.Must(uuid.NewV7())
	r.exec(`INSERT INTO workflow_profile (id, account_id, name, actions, tasks) VALUES ($1, $2, $3, $4, $5)`, id, r.account,
		id.String(), encoded(r.t, d.Actions), encoded(r.t, d.Tasks))
	r.exec(`INSERT INTO workflow_profile_version (profile_id, account_id, version, actions, tasks)
		VALUES ($1, $2, 1, $3, $4)`, id, r.account, encoded(r.t, d.Actions), encoded(r.t, d.Tasks))
	return id
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// actions returns a definition of actions of these kinds, whose keys are the kinds.
func actions(kinds ...machine.ActionKind) (d machine.Definition) {
	for _, kind := range kinds {
		key := string(kind)
		for n := 2; ; n++ {
			if !strings.Contains(encodedKeys(d)+" ", " "+key+" ") {
				break
			}
			key = fmt.Sprint(kind, n)
		}
		d.Actions = append(d.Actions, machine.Action{Key: key, Kind: kind, Name: key})
	}
	return d
}

func encodedKeys(d machine.Definition) (keys string) {
	for _, a := range d.Actions {
		keys += " " + a.Key
	}
	return keys
}

// create makes an item with a profile.
func (r *running) create(profile uuid.UUID) uuid.UUID {
	r.t.Helper()
	document, err := r.items.Create(r.user, fmt.Appendf(nil, `{"name":"x","workflow_profile_id":%q}`, profile))
	if err != nil {
		r.t.Fatal(err)
	}
	i, err := item.Decode(document.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	return i.ID
}

// await waits until the run of an item fulfils a condition, and returns it.
func (r *running) await(id uuid.UUID, what string, holds func(workflow.Run) bool) (got workflow.Run) {
	r.t.Helper()
	var err error
	r.eventually(fmt.Sprintf("the run is %s", what), func() bool {
		got, err = r.runs.RunOf(r.user, id)
		return err == nil && holds(got)
	}, func() string { return fmt.Sprintf("%+v, %v", got, err) })
	return got
}

// eventually polls until a condition holds that has no signal: the state of the database.
func (r *running) eventually(what string, holds func() bool, state ...func() string) {
	r.t.Helper()
	deadline := time.After(timeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			for _, s := range state {
				what += ": " + s()
			}
			r.t.Fatalf("not within %s: %s", timeout, what)
		case <-tick.C:
		}
	}
}

func (r *running) awaitStatus(id uuid.UUID, status machine.Status) workflow.Run {
	r.t.Helper()
	return r.await(id, string(status), func(run workflow.Run) bool { return run.Status == status })
}

// log returns a line for each change of an item: the revision, the kind, and its workflow; of a task its key.
func (r *running) log(id uuid.UUID) string {
	r.t.Helper()
	rows, err := r.pool.Query(r.t.Context(), `SELECT revision, kind, document, task FROM item_change WHERE item_id = $1
		ORDER BY id`, id)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var revision int64
		var kind string
		var document, task []byte
		if err := rows.Scan(&revision, &kind, &document, &task); err != nil {
			r.t.Fatal(err)
		}
		i, err := item.Decode(document)
		if err != nil {
			r.t.Fatal(err)
		}
		line := fmt.Sprint(revision, " ", kind)
		if i.Workflow != nil {
			line += " " + i.Workflow.Status
			if i.Workflow.CurrentAction != nil {
				line += " " + *i.Workflow.CurrentAction
			}
		}
		if c := change.DecodeTask(task); c != nil {
			line += " +" + c.Task
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (r *running) wantLog(id uuid.UUID, want string) {
	r.t.Helper()
	if got := r.log(id); got != strings.TrimSpace(want) {
		r.t.Errorf("the log has\n%s\nwant%s", got, want)
	}
}

// item reads an item.
func (r *running) item(id uuid.UUID) *item.Item {
	r.t.Helper()
	document, err := r.items.Get(r.user, id)
	if err != nil {
		r.t.Fatal(err)
	}
	i, err := item.Decode(document.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	return i
}
