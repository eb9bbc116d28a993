package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// listenPing is how often a silent connection is tested, and how long it may take to answer.
	listenPing = time.Second

	// The pause before a reconnect starts at listenRetryMin and doubles with every failed attempt up to listenRetryMax.
	listenRetryMin = 250 * time.Millisecond
	listenRetryMax = time.Second

	// listenTimeout limits the LISTEN statement.
	listenTimeout = 10 * time.Second
)

// Listener receives the notifications of one channel. Its functions run one after another, on the goroutine of
// [Listen], and must not block. Each may be nil.
type Listener struct {
	Channel string // an SQL identifier
	Log     *slog.Logger

	// Connected runs when LISTEN has taken effect, at the start and after every reconnect. Earlier notifications may
	// have been missed: catch up here.
	Connected func()

	// Notified runs for each notification.
	Notified func(payload string)

	// Disconnected runs after the connection was lost, and again after each failed attempt to reconnect. Until the next
	// Connected, notifications are missed.
	Disconnected func()
}

// Listen follows a channel until ctx ends, on a connection of its own with the pool's configuration. It reconnects
// after 250 ms to 1 s. A connection that dies silently is noticed within two seconds.
//
//	connect, LISTEN ──▶ Connected ──▶ wait ──notification──▶ Notified ──▶ wait …
//	   ▲    │                          │  └──1 s of silence──▶ ping ──answered──▶ wait …
//	   │    │ failed              lost │                         │ failed, or no answer within 1 s
//	   │    ▼                          ▼                         ▼
//	   └── pause ◀─────────────── Disconnected ◀─────────────────┘
func Listen(ctx context.Context, pool *pgxpool.Pool, l Listener) {
	retry := listenRetryMin
	for ctx.Err() == nil {
		err := l.follow(ctx, pool, func() { retry = listenRetryMin })
		call(l.Disconnected)
		if ctx.Err() == nil {
			l.Log.Warn("cannot listen for notifications; reconnecting", "channel", l.Channel, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
		retry = min(2*retry, listenRetryMax)
	}
}

// follow listens on one connection until it is lost.
func (l Listener) follow(ctx context.Context, pool *pgxpool.Pool, connected func()) error {
	config := pool.Config().ConnConfig
	config.RuntimeParams["application_name"] += " " + l.Channel // names the connection in pg_stat_activity
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err // "failed to connect to …"
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenPing)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if err := listen(ctx, conn, l.Channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	connected()
	call(l.Connected)
	for {
		payload, ok, err := await(ctx, conn)
		switch {
		case err != nil:
			return err
		case ok && l.Notified != nil:
			l.Notified(payload)
		}
	}
}

func listen(ctx context.Context, conn *pgx.Conn, channel string) error {
	ctx, cancel := context.WithTimeout(ctx, listenTimeout)
	defer cancel()
	_, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize())
	return err
}

// await returns the next notification, or false after a second without one if the connection still answers.
func await(ctx context.Context, conn *pgx.Conn) (payload string, ok bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, listenPing)
	defer cancel()
	notification, err := conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		return notification.Payload, true, nil
	case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		return "", false, fmt.Errorf("wait for a notification: %w", err)
	}
	answering, cancel := context.WithTimeout(ctx, listenPing)
	defer cancel()
	if err := conn.Ping(answering); err != nil {
		return "", false, fmt.Errorf("ping: %w", err)
	}
	return "", false, nil
}

func call(fn func()) {
	if fn != nil {
		fn()
	}
}
