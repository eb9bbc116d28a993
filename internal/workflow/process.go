package workflow

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/lease"
	"itemcast/internal/workflow/machine"
)

// Processor prepares the media of items. It may be called again for an item whose processing was interrupted, and must
// then do no harm: an action that kills its process runs up to five times. It ends soon when ctx ends. The actor of ctx
// may edit the account's items.
type Processor interface {
	// Skips says why there is nothing to process of an item; "" if there is. The action is then skipped at once.
	Skips(i *item.Item) (reason string)

	// Process processes an item. It may report its progress, 0 to 100 percent, as often as it likes. The users see the
	// text of a *problem.Error; other errors are logged.
	Process(ctx context.Context, i *item.Item, settings machine.Settings, progress func(percent int)) error
}

const (
	processLease = 15 * time.Second // after which another node may take the processing over
	processBeat  = time.Second      // between two looks at the progress
	leaseBeat    = 4 * time.Second  // between two extensions of the lease
	endTimeout   = 5 * time.Second  // limits what follows the end of the node's context
)

// errTakenOver is the cause of a context whose lease is lost: the run has ended, or another node has it.
var errTakenOver = errors.New("the processing was taken over")

// processIsFree reports whether nobody runs the processor.
func (m *moving) processIsFree() bool {
	return m.row.ProcessOwner == nil || m.row.WakeAt != nil && m.row.WakeAt.Before(m.held.At)
}

func (m *moving) processJob() process {
	return process{m.actor.AccountID, m.held.ID, m.row.ID, m.state.CurrentAction(m.definition).Key}
}

// keepProcessing queues the processor again when its node has died. Only the sweep finds that.
func (m *moving) keepProcessing(ctx context.Context, nudged bool) error {
	if !nudged || m.state.Phase != machine.PhaseProcess || !m.processIsFree() {
		return nil
	}
	err := store.New(db.Deferred(m.tx)).KeepProcessQueued(ctx, store.KeepProcessQueuedParams{
		AccountID: m.actor.AccountID, ID: m.row.ID})
	if err != nil {
		return fmt.Errorf("queue the processor again: %w", err)
	}
	return m.enqueue(ctx, m.tx, m.processJob())
}

// processAll processes items, one after the other, until none waits or stopping ends. A job only wakes: whose turn it
// is, the database decides.
func (s *Service) processAll(ctx, stopping context.Context) error {
	for stopping.Err() == nil {
		owner := uuid.New()
		claimed, err := s.claim(ctx, owner)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim the processing: %w", err)
		}
		job := process{claimed.AccountID, claimed.ItemID, claimed.ID, claimed.Action}
		if err := s.process(ctx, job, owner, int(claimed.ProcessAttempt)); err != nil {
			return err
		}
	}
	return nil
}

// claim takes the lease of the run whose turn it is. Error: pgx.ErrNoRows.
func (s *Service) claim(ctx context.Context, owner uuid.UUID) (claimed store.ClaimProcessRow, err error) {
	err = db.Write(ctx, s.moves, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if err := q.LockProcess(ctx); err != nil {
			return err
		}
		claimed, err = q.ClaimProcess(ctx, store.ClaimProcessParams{Owner: owner, Lease: processLease.Seconds(),
			MaxAttempts: maxAttempts})
		return err
	})
	return claimed, err
}

// process runs the processor for a run, under a lease.
func (s *Service) process(ctx context.Context, job process, owner uuid.UUID, attempt int) error {
	m, err := s.processing(ctx, job)
	if err != nil || m == nil {
		return err
	}
	s.metrics.processing.Add(1)
	defer s.metrics.processing.Add(-1)
	running, cancel := context.WithCancelCause(ctx)
	var progress atomic.Int64
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		s.keepLease(running, cancel, job, owner, &progress)
	}()
	a := m.state.CurrentAction(m.definition)
	acting := lease.With(account.WithActor(running, processorActor(job.AccountID)),
		func(ctx context.Context, tx pgx.Tx) error { return ownsProcess(ctx, tx, job, owner) })
	err = s.runProcessor(acting, m.held.Item, a.Settings, func(percent int) {
		progress.Store(int64(min(max(percent, 0), 100)))
	})
	cancel(nil)
	<-beating
	switch {
	case errors.Is(context.Cause(running), errTakenOver) || errors.Is(err, errTakenOver):
		return nil
	case ctx.Err() != nil:
		return s.releaseProcess(job, owner, ctx.Err())
	}
	return s.endProcess(ctx, job, owner, attempt, err)
}

// ownsProcess returns errTakenOver if a lease is another's, or its run has ended.
func ownsProcess(ctx context.Context, tx pgx.Tx, job process, owner uuid.UUID) error {
	owns, err := store.New(tx).OwnsProcess(ctx, store.OwnsProcessParams{AccountID: job.AccountID, ID: job.RunID,
		Owner: owner})
	if err != nil {
		return fmt.Errorf("look for the lease of the processing: %w", err)
	}
	if !owns {
		return errTakenOver
	}
	return nil
}

// processorActor is the actor that the processor's context has: it changes the items of an account, and is no user.
func processorActor(accountID uuid.UUID) account.Actor {
	return account.Actor{AccountID: accountID, Permissions: account.Permissions{account.APIAccess, account.ItemsEdit}}
}

// processing reads the item and the action of a job; nil: there is nothing to process any more.
func (s *Service) processing(ctx context.Context, job process) (m *moving, err error) {
	err = db.Write(ctx, s.moves, func(ctx context.Context, tx pgx.Tx) error {
		m, err = s.load(ctx, tx, account.Actor{AccountID: job.AccountID}, job.ItemID)
		if isGone(err) || err == nil && m.state.Phase != machine.PhaseProcess {
			m, err = nil, nil
		}
		return err
	})
	return m, err
}

// runProcessor calls the processor. A panic is an error.
func (s *Service) runProcessor(
	ctx context.Context, i *item.Item, settings machine.Settings, progress func(int),
) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the processor panicked: %v", p)
		}
	}()
	return s.processor.Process(ctx, i, settings, progress)
}

// keepLease extends the lease and stores the progress until ctx ends. It cancels ctx when the lease is lost.
func (s *Service) keepLease(
	ctx context.Context, cancel context.CancelCauseFunc, job process, owner uuid.UUID, progress *atomic.Int64,
) {
	tick := time.NewTicker(processBeat)
	defer tick.Stop()
	kept, stored := time.Now(), int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		percent := progress.Load()
		if percent == stored && time.Since(kept) < leaseBeat {
			continue
		}
		rows, err := store.New(s.moves).KeepProcess(ctx, store.KeepProcessParams{AccountID: job.AccountID, ID: job.RunID,
			Owner: owner, Lease: processLease.Seconds(), Progress: int16(percent)})
		switch {
		case err == nil && rows == 1:
			kept, stored = time.Now(), percent
		case err == nil, time.Since(kept) > processLease-leaseBeat:
			cancel(errTakenOver)
		}
	}
}

// releaseProcess gives the lease and the attempt back, because the node stops.
func (s *Service) releaseProcess(job process, owner uuid.UUID, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	err := store.New(s.moves).ReleaseProcess(ctx, store.ReleaseProcessParams{
		AccountID: job.AccountID, ID: job.RunID, Owner: owner})
	return errors.Join(cause, err)
}

// endProcess moves the run by the processor's result.
func (s *Service) endProcess(ctx context.Context, job process, owner uuid.UUID, attempt int, result error) error {
	e := machine.ProcessResult{Outcome: machine.OK, Attempt: attempt}
	if result != nil {
		e.Outcome, e.Reason = machine.Fail, "The processor failed. Itemcast has logged why."
		if known := problem.Of(result); known != nil {
			e.Reason = known.Detail
		}
		s.log.Warn("processing failed", "item_id", job.ItemID, "action", job.Action, "error", result)
	}
	return db.Write(ctx, s.moves, func(ctx context.Context, tx pgx.Tx) error {
		m, err := s.load(ctx, tx, account.Actor{AccountID: job.AccountID}, job.ItemID)
		if isGone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if m.row.ProcessOwner == nil || *m.row.ProcessOwner != owner {
			return nil // another node has taken it over
		}
		after := *m.held.Item
		if moved, err := m.apply(ctx, e, &after); err != nil || !moved {
			return err
		}
		return m.saveAndGoOn(ctx)
	})
}
