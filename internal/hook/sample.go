package hook

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/hook/sending"
	"itemcast/internal/problem"
)

// triggerTest is the trigger of a test request.
const triggerTest = "test"

// Limits of concurrent tests on a node. Each holds a request open until the endpoint answers, and one with an
// Idempotency-Key holds a connection to Postgres, too.
const (
	maxTestsPerHook    = 2
	maxTestsPerAccount = 4
)

// Test is the result of a test request.
type Test struct {
	ID       uuid.UUID // the webhook-id
	ItemID   uuid.UUID
	Event    string
	Revision int64
	sending.Result
}

// Test sends a sample document to a hook and returns the result. The document is that of an item; with a nil itemID,
// that of the newest item, or an example when the account has none. An empty event stands for the first that the hook
// asks for. The request is signed and has the trigger test. It is sent once, also to an inactive hook, and is not part
// of the log. Errors: NOT_FOUND; INVALID_INPUT for an unknown event; TOO_MANY_REQUESTS.
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
	if event == "" {
		event = h.Events[0]
	} else if !isEvent(event) {
		return Test{}, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/event", Detail: eventChoice})
	}
	// Enter before anything is read, so that a refusal costs nothing.
	if !s.hookTests.enter(id) {
		return Test{}, problem.New(problem.TooManyRequests,
			"%d tests of this hook are running. Wait until one has ended.", maxTestsPerHook)
	}
	defer s.hookTests.leave(id)
	if !s.accountTests.enter(actor.AccountID) {
		return Test{}, problem.New(problem.TooManyRequests,
			"%d tests of this account's hooks are running. Wait until one has ended.", maxTestsPerAccount)
	}
	defer s.accountTests.leave(actor.AccountID)
	document, err := s.items.Sample(ctx, itemID)
	if err != nil {
		return Test{}, err
	}
	endpoint, err := q.SendingTo(ctx, store.SendingToParams{AccountID: actor.AccountID, ID: id})
	if err != nil {
		return Test{}, notFoundOr(fmt.Errorf("read endpoint: %w", err))
	}
	message, err := NewMessage(endpoint.Url, endpoint.Secret, endpoint.OldSecret, endpoint.Headers, nil)
	if err != nil {
		return Test{}, err
	}
	sampled, thin, err := Thin(document.Bytes)
	if err != nil {
		return Test{}, err
	}
	message.ID, message.OccurredAt = uuid.Must(uuid.NewV7()), time.Now().UTC()
	message.Event, message.Trigger, message.Revision = event, triggerTest, document.Revision
	message.Body = document.Bytes
	if h.Body == ThinBody {
		message.Body = thin
	}
	result := s.sender.Send(ctx, message)
	if result.Fault == sending.Interrupted {
		return Test{}, context.Cause(ctx)
	}
	return Test{ID: message.ID, ItemID: sampled, Event: event, Revision: document.Revision, Result: result}, nil
}
