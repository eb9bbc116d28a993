package encode

import (
	"sync"
	"time"
)

// work turns the times of several programs, of which two may run at once, into one percentage.
type work struct {
	length  time.Duration
	weights map[string]float64
	total   float64

	mu       sync.Mutex
	reached  map[string]float64 // how much of each step is done, 0 to 1
	shown    int
	progress func(int) // one call at a time
}

// newWork weighs the steps: a rung costs the decoding of the source and the encoding of its own pixels.
func (l *Ladder) newWork(progress func(int)) *work {
	w := &work{length: l.Length, weights: map[string]float64{}, reached: map[string]float64{}, shown: -1,
		progress: progress}
	if l.Sound {
		w.weights[loudness], w.weights[soundFolder] = 0.03, 0.05
	}
	for _, r := range l.Rungs {
		p := l.Source.Picture
		w.weights[r.Name] = (0.3*float64(p.Width*p.Height) + float64(r.Width*r.Height)) / referencePixel
	}
	for _, weight := range w.weights {
		w.total += weight
	}
	w.show("", 0)
	return w
}

// follow returns the function that is told which time of the source a step has reached.
func (w *work) follow(name string) func(time.Duration) {
	return func(at time.Duration) { w.show(name, at.Seconds()/w.length.Seconds()) }
}

func (w *work) finish(name string) { w.show(name, 1) }

func (w *work) show(name string, share float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached[name] = max(w.reached[name], min(1, share))
	sum := 0.0
	for step, part := range w.reached {
		sum += part * w.weights[step]
	}
	if percent := min(99, int(100*sum/w.total)); percent > w.shown {
		w.shown = percent
		w.progress(percent)
	}
}

func (w *work) end() { w.progress(100) }
