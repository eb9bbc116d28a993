package hook

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
)

// Service manages an account's hooks, and what people do with them by hand. Its methods may be called concurrently.
// They need hooks.manage, unless they say otherwise; without it they return FORBIDDEN.
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

// Config is what a Service is made of.
type Config struct {
	Pool   *pgxpool.Pool
	Feed   *change.Feed
	Items  Items
	Reach  egress.Policy // what hooks may reach
	Sender *sending.Sender
	Wake   func(hooks ...uuid.UUID) // dispatch.Dispatcher.Wake; nil: a sweep finds what is requested by hand
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
