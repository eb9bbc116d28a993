package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// hook sends every update of an item to its endpoint.
type hook struct {
	*endpoint
	path string // of the hook in the API
}

// withHooks opens an endpoint with a hook for each answer, calls use, and removes them.
func (b *build) withHooks(ctx context.Context, answers []answer, use func(all []*hook) error) (err error) {
	all := make([]*hook, 0, len(answers))
	defer func() {
		for _, h := range all {
			_, deleteErr := b.api(ctx, http.MethodDelete, h.path, "")
			h.close()
			err = errors.Join(err, deleteErr)
		}
	}()
	for _, a := range answers {
		h, err := b.makeHook(ctx, a)
		if err != nil {
			return fmt.Errorf("make a hook: %w", err)
		}
		all = append(all, h)
	}
	return use(all)
}

func (b *build) makeHook(ctx context.Context, a answer) (*hook, error) {
	e, err := openEndpoint(a)
	if err != nil {
		return nil, err
	}
	input := fmt.Sprintf(`{"url":%q,"events":["item.updated"]}`, e.url())
	made, err := b.api(ctx, http.MethodPost, "/api/v1/hooks", input)
	if err != nil {
		e.close()
		return nil, err
	}
	return &hook{e, "/api/v1/hooks/" + between(made, `"id":"`, `"`)}, nil
}

// awaitAll waits until each hook has delivered a number of changes.
func awaitAll(ctx context.Context, all []*hook, changes int) error {
	for n, h := range all {
		if err := h.await(ctx, changes); err != nil {
			return fmt.Errorf("hook %d: %w", n+1, err)
		}
	}
	return nil
}

// pause stops the node's process with SIGSTOP until resume. It stops it between transactions, because an open one
// holds locks.
func (b *build) pause(ctx context.Context) (resume func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	process := b.cmd.Process
	resume = func() { _ = process.Signal(syscall.SIGCONT) }
	for {
		if err := process.Signal(syscall.SIGSTOP); err != nil {
			return nil, fmt.Errorf("pause itemcast: %w", err)
		}
		busy, err := b.busy(ctx)
		if err == nil && !busy {
			return resume, nil
		}
		resume()
		if err != nil {
			return nil, fmt.Errorf("pause itemcast: %w", err)
		}
	}
}

// busy waits a moment for statements that are on their way to Postgres. It then reports whether a session of Postgres
// is in a transaction.
func (b *build) busy(ctx context.Context) (busy bool, err error) {
	if err := sleep(ctx, 50*time.Millisecond); err != nil {
		return false, err
	}
	err = b.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
		AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid())`).Scan(&busy)
	return busy, err
}
