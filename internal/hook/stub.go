package hook

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
)

type Hook struct {
	ID               uuid.UUID
	URL, Description string
	Events           []string
	Active           bool
	CreatedAt        time.Time
	UpdatedAt        time.Time
}
type Input struct {
	URL, Description string
	Events           []string
	Active           *bool
}
type Service struct{}

func (s *Service) List(ctx context.Context, limit int, after string) ([]Hook, string, error) {
	return nil, "", nil
}
func (s *Service) Get(ctx context.Context, id uuid.UUID) (Hook, error) { return Hook{}, nil }
func (s *Service) Delete(ctx context.Context, id uuid.UUID) error      { return nil }

type Config struct{ AllowNetworks []netip.Prefix }
type Dispatcher struct{}

func NewService(*pgxpool.Pool, *change.Feed) *Service { return nil }
func (s *Service) Wanting(ctx context.Context, tx pgx.Tx, a uuid.UUID, e string) ([]uuid.UUID, error) {
	return nil, nil
}
func (s *Service) Create(ctx context.Context, in Input) (Hook, string, error) {
	return Hook{}, "", nil
}
func NewDispatcher(*pgxpool.Pool, *change.Feed, Config, *slog.Logger) *Dispatcher { return nil }
func (d *Dispatcher) Run(ctx context.Context) error                               { <-ctx.Done(); return nil }
