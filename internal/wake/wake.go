// Package wake tells a goroutine that there is something to do, without waiting for it. Any number of signals while the
// goroutine works cause one more round of work. Between its rounds, the goroutine may pause.
package wake

// Signal has room for one signal. The goroutine that works receives from it.
type Signal chan struct{}

// New makes a Signal.
func New() Signal { return make(Signal, 1) }

// Send leaves a signal, unless one is waiting already. It never blocks, and may be called concurrently.
func (s Signal) Send() {
	select {
	case s <- struct{}{}:
	default:
	}
}
