package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"itemcast/internal/upload/internal/store"
	"itemcast/internal/wake"
)

const (
	presencePing  = 30 * time.Second // a connection that has died in silence is noticed after so long
	presenceRetry = time.Second
)

// stayPresent holds the advisory lock that tells other nodes that this one lives, on a connection of its own, until ctx
// ends. Postgres frees the lock within milliseconds of the process's death. Without the lock, others may take over what
// this node holds; it then writes nothing more, because every statement names the holder.
func (s *Service) stayPresent(ctx context.Context) {
	for {
		err := s.bePresent(ctx)
		s.setPresent(false)
		if ctx.Err() != nil {
			return
		}
		s.Log.WarnContext(ctx, "resumable uploads wait until the database answers", "error", err)
		if !wake.Pause(ctx, presenceRetry) {
			return
		}
	}
}

func (s *Service) bePresent(ctx context.Context) error {
	pooled, err := s.Presence.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	conn := pooled.Hijack() // closing it frees the lock
	defer conn.Close(context.WithoutCancel(ctx))
	if err := store.New(conn).LiveNode(ctx, s.node); err != nil {
		return fmt.Errorf("tell that this node lives: %w", err)
	}
	s.setPresent(true)
	for {
		waiting, cancel := context.WithTimeout(ctx, presencePing)
		_, err := conn.WaitForNotification(waiting) // nobody notifies; it returns when the connection ends
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		if err := conn.Ping(ctx); err != nil {
			return err
		}
	}
}

func (s *Service) setPresent(present bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.present = present
}

func (s *Service) isPresent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.present
}
