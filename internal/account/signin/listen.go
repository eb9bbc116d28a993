package signin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// listen forgets users as they change, until ctx ends.
func (s *Service) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.listenOnce(ctx)
		s.forgetEverybody()
		if err != nil && ctx.Err() == nil {
			s.log.Warn("lost the connection that listens for changes of access; connecting again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (s *Service) listenOnce(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN itemcast_access"); err != nil {
		return err
	}
	s.forgetEverybody() // changes before LISTEN took effect
	for {
		waiting, cancel := context.WithTimeout(ctx, time.Second)
		notification, err := conn.WaitForNotification(waiting)
		cancel()
		switch {
		case err == nil:
			s.notified(notification.Payload)
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		default:
			if err := ping(ctx, conn); err != nil {
				return err
			}
		}
	}
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return conn.Ping(ctx)
}

// notified forgets what a notification of the triggers concerns (sql/migrations): "user ID", "session USER_ID", or everybody.
func (s *Service) notified(payload string) {
	kind, id, _ := strings.Cut(payload, " ")
	user, err := uuid.Parse(id)
	switch {
	case kind == "profile":
		s.profileChanged()
	case kind == "user" && err == nil:
		s.forgetUser(user)
	case kind == "session" && err == nil:
		s.forgetSessions(user)
	default:
		s.forgetEverybody()
	}
}
