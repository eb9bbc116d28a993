package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
	"itemcast/internal/wake"
)

// Held is a resumable upload that one request holds: on all nodes no other reads or writes it meanwhile. Each statement
// names the holder, so that one that was taken for dead changes nothing any more.
type Held struct {
	Resumable
	s         *Service
	writer    uuid.UUID // uuid.Nil: it has ended, and nobody needs to hold it
	interrupt func()
}

const (
	holdEvery  = 100 * time.Millisecond // between two tries to hold an upload
	watchEvery = time.Second            // between two questions whether another request waits
	letGoAfter = 5 * time.Second        // for letting go after the request has ended
)

// Hold holds the upload with a key for a request. It waits for another holder until ctx ends, and asks it to let go:
// interrupt is how this one is asked. An upload that has ended is not held, but read. Errors: NOT_FOUND, GONE, LOCKED.
func (s *Service) Hold(ctx context.Context, key string, interrupt func()) (*Held, error) {
	hash, wanted := keyHash(key), false
	for {
		held, err := s.tryHold(ctx, hash, interrupt)
		if held != nil || err != nil && !errors.Is(err, errLocked) {
			return held, err
		}
		if !wanted {
			wanted = true
			if err := store.New(s.Pool).WantResumable(ctx, hash); err != nil {
				return nil, fmt.Errorf("ask for an upload: %w", err)
			}
			s.askHere(hash)
		}
		if !wake.Pause(ctx, holdEvery) {
			return nil, errLocked
		}
	}
}

func (s *Service) tryHold(ctx context.Context, hash []byte, interrupt func()) (*Held, error) {
	if !s.isPresent() {
		return nil, errLocked
	}
	writer, q := uuid.New(), store.New(s.Pool)
	row, err := q.HoldResumable(ctx, store.HoldResumableParams{KeyHash: hash, Writer: &writer, Node: s.node})
	if err == nil {
		h := &Held{Resumable: resumableOf(row), s: s, writer: writer, interrupt: interrupt}
		s.setHeld(h, true)
		return h, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("hold an upload: %w", err)
	}
	row, err = q.ResumableByKey(ctx, hash)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, errNoUpload
	case err != nil:
		return nil, fmt.Errorf("read an upload: %w", err)
	case row.State == stateReceiving:
		return nil, errLocked
	}
	h := &Held{Resumable: resumableOf(row), s: s}
	return h, h.refusal()
}

// LetGo ends the hold.
func (h *Held) LetGo(ctx context.Context) error {
	if h.writer == uuid.Nil {
		return nil
	}
	h.s.setHeld(h, false)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), letGoAfter)
	defer cancel()
	err := store.New(h.s.Pool).LetGo(ctx, store.LetGoParams{AccountID: h.Account, ID: h.ID, Writer: h.writer})
	if err != nil {
		return fmt.Errorf("let go of an upload: %w", err)
	}
	return nil
}

func (s *Service) setHeld(h *Held, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held {
		s.held[h.writer] = h
	} else {
		delete(s.held, h.writer)
	}
}

// askHere asks the holder of an upload on this node to let go.
func (s *Service) askHere(hash []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.held {
		if string(h.row.KeyHash) == string(hash) {
			h.interrupt()
		}
	}
}

// watchHeld asks this node's holders to let go when a request on another node waits, or when their uploads were ended.
func (s *Service) watchHeld(ctx context.Context) {
	for wake.Pause(ctx, watchEvery) {
		s.mu.Lock()
		writers := make([]uuid.UUID, 0, len(s.held))
		for writer := range s.held {
			writers = append(writers, writer)
		}
		s.mu.Unlock()
		if len(writers) == 0 {
			continue
		}
		rows, err := store.New(s.Pool).WritersNow(ctx, writers)
		if err != nil {
			continue // what holders write next fails too
		}
		keep := map[uuid.UUID]bool{}
		for _, row := range rows {
			keep[row.Writer] = !row.Wanted
		}
		s.mu.Lock()
		for _, writer := range writers {
			if h := s.held[writer]; h != nil && !keep[writer] {
				h.interrupt()
			}
		}
		s.mu.Unlock()
	}
}

// Terminate ends an upload for its client, and frees its nonce. Error: FORBIDDEN when it has made an item.
func (h *Held) Terminate(ctx context.Context) error {
	if h.Done {
		return problem.New(problem.Forbidden, "The upload has become the item %s. Delete the item instead.", h.Items[0])
	}
	h.s.metrics.failed.Add(1)
	return h.end(ctx, nil)
}

// end ends an upload without an item. refusal is what its client is told later; nil: only that it has ended.
func (h *Held) end(ctx context.Context, refusal *string) error {
	q := store.New(h.s.Pool)
	ended, err := q.EndHeld(ctx, store.EndHeldParams{AccountID: h.Account, ID: h.ID, Writer: h.writer, Refusal: refusal})
	switch {
	case err != nil:
		return fmt.Errorf("end an upload: %w", err)
	case ended == 0:
		return errEnded
	}
	h.s.setHeld(h, false)
	// What fails now, Sweep does.
	if h.s.Media.DeleteSegments(ctx, append(h.row.Segments, h.row.OpenSegments...)...) == nil {
		_ = q.ForgetSegments(ctx, store.ForgetSegmentsParams{AccountID: h.Account, ID: h.ID})
	}
	return nil
}
