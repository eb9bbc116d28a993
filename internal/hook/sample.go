package hook

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/hook/sending"
	"itemcast/internal/problem"
)

// byTest is the trigger of a request that only tries the hook.
const byTest = "test"

// maxTestsPerHook is how many tests of one hook a node has under way: each holds a request open for as long as the endpoint takes.
const maxTestsPerHook = 2

// maxTestsPerAccount is how many of all hooks of an account: with an Idempotency-Key each holds a connection to Postgres, too.
const maxTestsPerAccount = 4

// Test is what came of trying a hook.
type Test struct {
	ID       uuid.UUID // the webhook-id
	ItemID   uuid.UUID
	Event    string
	Revision int64
	sending.Result
}

// Test sends a hook a sample at once, and returns what came of it: the document of an item (nil: of the newest, or a made-up one where there
// is none), as an event ("": the first that the hook asks for). It is signed, and marked with the trigger test. It is tried once, whether the
// hook is active or not, and is no part of the log. Errors: NOT_FOUND, INVALID_INPUT for an event that there is not, TOO_MANY_REQUESTS.
func (s *Service) Test(ctx context.Context, id uuid.UUID, itemID *uuid.UUID, event string) (Test, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Test{}, err
	}
	q := store.New(db.Read(ctx, s.pool))
	h, err := get(ctx, q, actor.AccountID, id)
	if err != nil {
		return Test{}, err
	}
	switch {
	case event == "":
		event = h.Events[0]
	case !isEvent(event):
		return Test{}, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/event", Detail: "must be item.created, item.updated, item.deleted or item.triggered"})
	}
	// The turns come first: who gets none is told at once, and has cost nothing.
	if !s.tests.enter(id) {
		return Test{}, problem.New(problem.TooManyRequests, "%d tests of this hook are under way; wait for one to end.", maxTestsPerHook)
	}
	defer s.tests.leave(id)
	if !s.testers.enter(actor.AccountID) {
		return Test{}, problem.New(problem.TooManyRequests, "%d tests of this account's hooks are under way; wait for one to end.", maxTestsPerAccount)
	}
	defer s.testers.leave(actor.AccountID)
	document, err := s.items.Sample(ctx, itemID)
	if err != nil {
		return Test{}, err
	}
	to, err := q.SendingTo(ctx, store.SendingToParams{AccountID: actor.AccountID, ID: id})
	if err != nil {
		return Test{}, orNotFound(err)
	}
	message, err := NewMessage(to.Url, to.Secret, to.OldSecret, to.Headers)
	if err != nil {
		return Test{}, err
	}
	of, slim, err := Thin(document.Bytes)
	if err != nil {
		return Test{}, err
	}
	message.ID, message.Event, message.Trigger, message.Revision = uuid.Must(uuid.NewV7()), event, byTest, document.Revision
	message.OccurredAt, message.Body = time.Now().UTC(), document.Bytes
	if h.Body == ThinBody {
		message.Body = slim
	}
	result := s.sender.Send(ctx, message)
	if result.Fault == sending.Interrupted {
		return Test{}, context.Cause(ctx)
	}
	return Test{ID: message.ID, ItemID: of, Event: event, Revision: document.Revision, Result: result}, nil
}

func isEvent(name string) bool {
	return slices.Contains([]string{ItemCreated, ItemUpdated, ItemDeleted, ItemTriggered}, name)
}

// turns bounds how much of one kind goes on at the same time, by hook or by account.
type turns struct {
	most int

	mu    sync.Mutex
	taken map[uuid.UUID]int
}

func newTurns(most int) *turns { return &turns{most: most, taken: make(map[uuid.UUID]int)} }

func (t *turns) enter(id uuid.UUID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[id] >= t.most {
		return false
	}
	t.taken[id]++
	return true
}

func (t *turns) leave(id uuid.UUID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[id]--; t.taken[id] == 0 {
		delete(t.taken, id)
	}
}
