package hook

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
)

// Service manages an account's hooks, and executes manual triggers, tests, replays and redeliveries. Its methods may
// be called concurrently. They need hooks.manage, unless they say otherwise; without it they return FORBIDDEN.
type Service struct {
	pool         *pgxpool.Pool
	feed         *change.Feed
	items        Items
	reach        egress.Policy
	sender       *sending.Sender
	wake         func(hooks ...uuid.UUID)
	hookTests    *concurrency // by hook
	accountTests *concurrency // by account
}

// Config configures a Service. All fields but Wake are required.
type Config struct {
	Pool   *pgxpool.Pool
	Feed   *change.Feed
	Items  Items
	Reach  egress.Policy // what hooks may reach
	Sender *sending.Sender
	Wake   func(hooks ...uuid.UUID) // dispatch.Dispatcher.Wake; nil: the next sweep finds manual requests
}

// NewService makes a Service.
func NewService(c Config) *Service {
	if c.Wake == nil {
		c.Wake = func(...uuid.UUID) {}
	}
	return &Service{
		pool: c.Pool, feed: c.Feed, items: c.Items, reach: c.Reach, sender: c.Sender, wake: c.Wake,
		hookTests: newConcurrency(maxTestsPerHook), accountTests: newConcurrency(maxTestsPerAccount),
	}
}
