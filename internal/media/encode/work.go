package encode

import "time"

// work turns the times of several programs into one percentage.
type work struct {
	length   time.Duration
	weights  map[string]float64
	total    float64
	done     float64 // weights of the steps before the current one
	current  float64
	shown    int
	progress func(int)
}

// newWork weighs the steps: a rung costs the decoding of the source and the encoding of its own pixels.
func (l *Ladder) newWork(progress func(int)) *work {
	w := &work{length: l.Length, weights: map[string]float64{}, shown: -1, progress: progress}
	if l.Sound {
		w.weights["loudness"], w.weights[soundFolder] = 0.03, 0.05
	}
	for _, r := range l.Rungs {
		p := l.Source.Picture
		w.weights[r.Name] = (0.3*float64(p.Width*p.Height) + float64(r.Width*r.Height)) / referencePixel
	}
	for _, weight := range w.weights {
		w.total += weight
	}
	return w
}

// begin ends the step before and begins another one. The result gets the time that the step has reached.
func (w *work) begin(name string) func(time.Duration) {
	w.done += w.current
	w.current = w.weights[name]
	w.show(0)
	return func(at time.Duration) { w.show(min(1, at.Seconds()/w.length.Seconds())) }
}

func (w *work) show(share float64) {
	percent := min(99, int(100*(w.done+share*w.current)/w.total))
	if percent > w.shown {
		w.shown = percent
		w.progress(percent)
	}
}

func (w *work) end() { w.progress(100) }
