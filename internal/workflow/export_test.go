package workflow

import "context"

// SweepHooks is a round of the sweep of hooks.
func (s *Service) SweepHooks(ctx context.Context) error { return s.sweepHooksOnce(ctx) }
