package dispatch

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/hook/sending"
)

func TestHealth_AHookShowsSuccessesAndFailures(t *testing.T) {
	b := setup(t)
	r, answer := b.Answering(http.StatusInternalServerError)
	h, _ := b.Hook(r.URL)
	if h.LastSuccessAt != nil || h.LastFailureAt != nil || h.LastError != nil || h.Pending != 0 {
		t.Errorf("a new hook: %+v", h)
	}
	n := b.node(Config{Retries: retries(1000, 5*time.Millisecond)})
	b.write(n, uuid.New(), change.Created, change.Updated)
	b.Eventually("the failure shows", func() bool { return b.Get(h).LastFailureAt != nil && b.Get(h).Pending == 2 })
	if got := b.Get(h); *got.LastError != "The answer was 500 Internal Server Error" || got.LastSuccessAt != nil {
		t.Errorf("while it fails: %+v", got)
	}
	answer.Store(http.StatusOK)
	b.Eventually("the success shows", func() bool {
		got := b.Get(h)
		return got.LastSuccessAt != nil && got.LastSuccessAt.After(*got.LastFailureAt) && got.Pending == 0
	})
	if got := b.Get(h); got.LastError == nil {
		t.Errorf("the last error is missing: %+v", got)
	}
	listed, _, err := b.Service.List(b.Ctx, 1, "")
	if err != nil || listed[0].LastSuccessAt == nil || !listed[0].LastSuccessAt.Equal(*b.Get(h).LastSuccessAt) {
		t.Errorf("listed %+v, %v", listed, err)
	}
}

func TestHealth_IsRecordedOnceASecond(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n := b.node(Config{})
	b.write(n, uuid.New(), change.Created)
	b.Eventually("a success", func() bool { return b.Get(h).LastSuccessAt != nil })
	first := b.Get(h).LastSuccessAt
	version := value[string](b, "SELECT xmin::text FROM hook")
	b.write(n, uuid.New(), change.Created, change.Updated)
	b.Eventually("three successes", func() bool { return b.States(h)[hooktest.Succeeded] == 3 })
	if again := b.Get(h).LastSuccessAt; again.Sub(*first) < time.Second &&
		value[string](b, "SELECT xmin::text FROM hook") != version {
		t.Errorf("recorded at %v and again at %v", first, again)
	}
}

// A transaction that locks the row of a hook delays no delivery.
func TestHealth_DoesNotWaitForALockedRow(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	tx, err := b.Pool.Begin(b.Ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(b.Ctx) }()
	if _, err := tx.Exec(b.Ctx, "UPDATE hook SET description = 'x' WHERE id = $1", h.ID); err != nil {
		t.Fatal(err)
	}
	n := b.node(Config{})
	b.write(n, uuid.New(), change.Created, change.Updated)
	b.Eventually("both are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 2 })
	_ = tx.Commit(b.Ctx)
	b.write(n, uuid.New(), change.Created)
	b.Eventually("the success shows", func() bool { return b.Get(h).LastSuccessAt != nil })
}

// What a locked row misses is recorded when the lock is gone, without another attempt, also by a node that stops.
func TestHealth_ALockedRowIsRecordedLater(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		stops  bool
	}{
		"a failure": {status: http.StatusInternalServerError}, "a success": {status: http.StatusOK},
		"of a node that stops": {status: http.StatusInternalServerError, stops: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			locks := make(chan pgx.Tx, 1)
			r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { // locks the row as a claim does
				tx, err := b.Pool.Begin(b.Ctx)
				if err == nil {
					_, err = tx.Exec(b.Ctx, "SELECT FROM hook FOR NO KEY UPDATE")
				}
				if err != nil {
					t.Error(err)
				}
				locks <- tx
				return c.status
			})
			h, _ := b.HookOf(map[string]any{"url": r.URL, "events": hooktest.AllEvents, "max_in_flight": 1})
			fails := c.status != http.StatusOK
			if !fails {
				b.Exec("UPDATE hook SET failing_since = now() - interval '1 hour', last_failure_at = now() - interval '1 minute'")
			}
			n := b.node(Config{Retries: retries(3, time.Hour)})
			b.write(n, uuid.New(), change.Created)
			lock := <-locks
			b.Eventually("the attempt is logged", func() bool {
				return value[int](b, "SELECT count(*) FROM delivery_attempt") == 1
			})
			if (b.Get(h).FailingSince != nil) == fails {
				t.Error("a locked row has changed")
			}
			if c.stops {
				n.cancel()
			}
			_ = lock.Rollback(b.Ctx)
			b.Eventually("the health shows", func() bool { return (b.Get(h).FailingSince != nil) == fails })
			if attempts := len(r.Messages()); attempts != 1 {
				t.Errorf("it took %d attempts", attempts)
			}
		})
	}
}

// A result that is recorded late does not replace what came after it.
func TestHealth_AnOldResultDoesNotReplaceANewerOne(t *testing.T) {
	b := setup(t)
	h, _ := b.Hook("https://example.com/")
	note := func(works bool, fault string, age time.Duration) hook.Hook {
		t.Helper()
		_, err := store.New(b.Pool).NoteHealth(b.Ctx, store.NoteHealthParams{
			HookIds: []uuid.UUID{h.ID}, Works: []bool{works}, Errors: []string{fault}, Ages: []float64{age.Seconds()},
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.Get(h)
	}
	note(true, "", 10*time.Second)
	if got := note(false, "older", 20*time.Second); got.FailingSince != nil {
		t.Errorf("a failure before a success: %+v", got)
	}
	failing := note(false, "newer", 5*time.Second)
	if failing.FailingSince == nil || failing.FailingSince.Sub(*failing.LastSuccessAt).Round(time.Second) != 5*time.Second {
		t.Errorf("a failure after it: %+v", failing)
	}
	if got := note(true, "", 7*time.Second); got.FailingSince == nil {
		t.Errorf("a success before the failure: %+v", got)
	}
	if got := note(true, "", 0); got.FailingSince != nil {
		t.Errorf("a success now: %+v", got)
	}
}

// recordedLog is a log that tests read.
type recordedLog struct {
	mu  sync.Mutex
	all []string
}

func (l *recordedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(bytes.TrimSpace(p)))
	return len(p), nil
}

func (l *recordedLog) with(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

func TestHealth_LogsWhenAHookStartsToFailAndWhenItWorksAgain(t *testing.T) {
	b := setup(t)
	r, answer := b.Answering(http.StatusServiceUnavailable)
	h, _ := b.Hook(r.URL + "/secret-path")
	n, log := b.idleNode(Config{Retries: retries(1000, 5*time.Millisecond)}), &recordedLog{}
	n.log = slog.New(slog.NewTextHandler(log, nil))
	b.run(n)
	b.write(n, uuid.New(), change.Created)
	b.write(n, uuid.New(), change.Created)
	r.AwaitCount(10)
	answer.Store(http.StatusOK)
	b.Eventually("both are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 2 })
	b.Eventually("the recovery is logged", func() bool { return len(log.with("works again")) == 1 })
	failing := log.with("fails")
	if len(failing) != 1 || !strings.Contains(failing[0], "level=WARN") ||
		!strings.Contains(failing[0], h.ID.String()) ||
		!strings.Contains(failing[0], "503") || !strings.Contains(failing[0], strings.TrimPrefix(r.URL, "http://")) {
		t.Errorf("got %q", failing)
	}
	if leaked := log.with("secret-path"); leaked != nil {
		t.Errorf("a URL may carry a secret: %q", leaked)
	}
}

func TestHealth_LogsAHookThatFailsNowAndThenOnceAMinute(t *testing.T) {
	t.Parallel()
	log, clock := &recordedLog{}, time.Now()
	h := newHealth(slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return clock })
	flaky, steady := uuid.New(), uuid.New()
	var logged []int
	for range 3 {
		for range 100 {
			h.record(outcome{hook: flaky, verdict: retry, Result: sending.Result{Detail: "x"}})
			h.record(outcome{hook: flaky, verdict: succeeded})
			h.record(outcome{hook: steady, verdict: succeeded})
		}
		logged = append(logged, len(log.with("level=")))
		clock = clock.Add(time.Minute)
	}
	if !slices.Equal(logged, []int{2, 4, 6}) || len(log.with(steady.String())) != 0 {
		t.Errorf("logged %v: %q", logged, log.all)
	}
	h.record(outcome{hook: steady, verdict: failed, Result: sending.Result{Detail: "x"}})
	if len(h.hooks) != 1 {
		t.Errorf("%d hooks are remembered", len(h.hooks))
	}
}

func TestMetrics_CountAttemptsByOutcomeAndPendingDeliveries(t *testing.T) {
	b := setup(t)
	tries := 0
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		if tries++; tries <= 2 || m.Revision() == 2 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	n := b.node(Config{Retries: retries(2, time.Millisecond)})
	b.write(n, uuid.New(), change.Created, change.Updated)
	b.Eventually("both have ended",
		func() bool { return b.States(h)[hooktest.Succeeded]+b.States(h)[hooktest.Failed] == 2 })
	n.stop()
	if err := pgx.BeginFunc(b.Ctx, b.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(b.Ctx,
			`INSERT INTO delivery (id, account_id, hook_id, item_id, change_id, position, revision, kind, thin)
			SELECT gen_random_uuid(), $1, $2, gen_random_uuid(), 1000 + n, 1000 + n, 1, 'CREATED', false FROM generate_series(1, 1200) n`, b.Account, h.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	registry, page := prometheus.NewPedanticRegistry(), httptest.NewRecorder()
	registry.MustRegister(n.Dispatcher)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page,
		httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`itemcast_hook_attempts_total{outcome="failed"} 1`, `itemcast_hook_attempts_total{outcome="retried"} 4`,
		`itemcast_hook_attempts_total{outcome="succeeded"} 1`, `itemcast_hook_backlog 1200`,
	} {
		if !strings.Contains(page.Body.String(), want+"\n") {
			t.Errorf("%s is missing in\n%s", want, page.Body)
		}
	}
	if got := b.Get(h).Pending; got != 1000 {
		t.Errorf("pending is %d, want it counted up to 1000", got)
	}
}
