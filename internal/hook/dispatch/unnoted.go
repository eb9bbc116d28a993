package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/hook/internal/store"
)

// noteLimit bounds the attempts of a node that stops to record the health of hooks.
const noteLimit = time.Second

// unnoted holds the last health of hooks whose rows were locked when it was to be recorded: by a claim of a hook with
// limits, or by a change of its settings. It may be used concurrently: the fan-out and the writer of results add to it,
// and the sweep records it.
type unnoted struct {
	mu    sync.Mutex
	hooks map[uuid.UUID]note
}

type note struct {
	works bool
	error string
	at    time.Time
}

// remember adds notes that were made at a time, unless a newer one of the hook is there.
func (u *unnoted) remember(p store.NoteHealthParams, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.hooks == nil {
		u.hooks = make(map[uuid.UUID]note)
	}
	for n, hook := range p.HookIds {
		at := now.Add(-time.Duration(p.Ages[n] * float64(time.Second)))
		if before, ok := u.hooks[hook]; !ok || before.at.Before(at) {
			u.hooks[hook] = note{p.Works[n], p.Errors[n], at}
		}
	}
}

// take removes all notes.
func (u *unnoted) take(now time.Time) (p store.NoteHealthParams) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for hook, note := range u.hooks {
		p.HookIds, p.Works = append(p.HookIds, hook), append(p.Works, note.works)
		p.Errors, p.Ages = append(p.Errors, note.error), append(p.Ages, now.Sub(note.at).Seconds())
	}
	u.hooks = nil
	return p
}

func (u *unnoted) empty() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.hooks) == 0
}

// noteAgain records the health that could not be recorded. What is still locked stays for the next time.
func (d *Dispatcher) noteAgain(ctx context.Context) error {
	now := time.Now()
	notes := d.unnoted.take(now)
	if len(notes.HookIds) == 0 {
		return nil
	}
	locked, err := store.New(d.pool).NoteHealth(ctx, notes)
	if err != nil || locked > 0 {
		d.unnoted.remember(notes, now)
	}
	return err
}

// noteLast is noteAgain for a node that stops.
func (d *Dispatcher) noteLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, noteLimit)
	defer cancel()
	for ctx.Err() == nil && !d.unnoted.empty() {
		if err := d.noteAgain(ctx); err != nil {
			d.log.Warn("cannot record the health of hooks", "error", err)
			return
		}
		if !d.unnoted.empty() {
			time.Sleep(resultPause)
		}
	}
}
