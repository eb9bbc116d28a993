package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// hooked is an endpoint with a hook that sends it every update.
type hooked struct {
	*endpoint
	path string // of the hook
}

// withHooks makes an endpoint and its hook for each answer, and takes them away after they have been used.
func (s *stage) withHooks(ctx context.Context, answers []answer, use func(all []*hooked) error) (err error) {
	all := make([]*hooked, 0, len(answers))
	defer func() {
		for _, h := range all {
			_, gone := s.api(ctx, http.MethodDelete, h.path, "")
			h.close()
			err = errors.Join(err, gone)
		}
	}()
	for _, a := range answers {
		h, err := s.hook(ctx, a)
		if err != nil {
			return fmt.Errorf("make a hook: %w", err)
		}
		all = append(all, h)
	}
	return use(all)
}

func (s *stage) hook(ctx context.Context, a answer) (*hooked, error) {
	e, err := openEndpoint(a)
	if err != nil {
		return nil, err
	}
	made, err := s.api(ctx, http.MethodPost, "/api/v1/hooks", fmt.Sprintf(`{"url":%q,"events":["item.updated"]}`, e.url()))
	if err != nil {
		e.close()
		return nil, err
	}
	return &hooked{e, "/api/v1/hooks/" + between(made, `"id":"`, `"`)}, nil
}

// awaitAll waits until each hook has delivered so many changes.
func awaitAll(ctx context.Context, all []*hooked, changes int) error {
	for n, h := range all {
		if err := h.await(ctx, changes); err != nil {
			return fmt.Errorf("hook %d: %w", n+1, err)
		}
	}
	return nil
}

// api asks the product, which must answer with 2xx.
func (s *stage) api(ctx context.Context, method, path, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.product.addr+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", authorization)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s answers %s: %.200s", method, path, response.Status, got)
	}
	return got, err
}

// pause stops the product's process dead until resume: what is written meanwhile it finds as a node that was away. It is stopped between
// transactions, as one that is open holds locks.
func (s *stage) pause(ctx context.Context) (resume func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	process := s.product.cmd.Process
	resume = func() { _ = process.Signal(syscall.SIGCONT) }
	for {
		if err := process.Signal(syscall.SIGSTOP); err != nil {
			return nil, fmt.Errorf("stop the product: %w", err)
		}
		err := sleepUntil(ctx, time.Now().Add(50*time.Millisecond)) // for what it has sent to Postgres
		var busy bool
		if err == nil {
			err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity
				WHERE datname = current_database() AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid())`).Scan(&busy)
		}
		if err == nil && !busy {
			return resume, nil
		}
		resume()
		if err != nil {
			return nil, fmt.Errorf("stop the product: %w", err)
		}
	}
}
