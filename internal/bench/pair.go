package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const warmUp = time.Second

// side is one side of a comparison, over all rounds.
type side struct {
	perSecond float64 // median of the rounds
	bytes     float64 // where memory is measured
	latencies latencies
	count     int
	cpu       cpu
}

func (s *side) add(r round) {
	s.latencies = append(s.latencies, r.latencies...)
	s.count += r.count
	s.cpu = s.cpu.plus(r.cpu)
}

// ratios are the product's rate by the baseline's, of each pair of rounds.
type ratios []float64

func (r ratios) median() float64 { return median(r) }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// compare loads the product and the baseline in turn.
func (s *stage) compare(ctx context.Context, product, baseline target, atLeast float64) (result, error) {
	for _, t := range []target{product, baseline} {
		if _, err := load(ctx, t, s.Connections, warmUp); err != nil {
			return result{}, err
		}
	}
	return s.alternate(s.Rounds, atLeast, [2]func() (round, error){
		func() (round, error) { return load(ctx, product, s.Connections, s.Round) },
		func() (round, error) { return load(ctx, baseline, s.Connections, s.Round) },
	})
}

// alternate measures rounds of the product and of the baseline in turn.
func (s *stage) alternate(rounds int, atLeast float64, sides [2]func() (round, error)) (r result, err error) {
	var rates [2][]float64
	for n := range rounds {
		var pair [2]round
		for i, measure := range sides {
			if pair[i], err = measure(); err != nil {
				return result{}, fmt.Errorf("%s: %w", []string{"product", "baseline"}[i], err)
			}
			rates[i] = append(rates[i], pair[i].perSecond)
		}
		r.product.add(pair[0])
		r.baseline.add(pair[1])
		r.ratios = append(r.ratios, pair[0].perSecond/pair[1].perSecond)
		s.say("  round %d: %.0f/s against %.0f/s, %.2f", n+1, pair[0].perSecond, pair[1].perSecond, r.ratios[n])
	}
	r.product.perSecond, r.baseline.perSecond = median(rates[0]), median(rates[1])
	slices.Sort(r.product.latencies)
	slices.Sort(r.baseline.latencies)
	r.met = r.ratios.median() >= atLeast
	return r, nil
}

// expectSame fails when the two answer differently; what is compared must be the same work.
func (s *stage) expectSame(ctx context.Context, product, baseline []byte) error {
	a, err := s.once(ctx, s.product.addr, product)
	if err != nil {
		return err
	}
	b, err := s.once(ctx, s.baseline.addr, baseline)
	if err != nil {
		return err
	}
	if a != b {
		return fmt.Errorf("the baseline answers otherwise than the product:\n%.2000s\n%.2000s", b, a)
	}
	return nil
}

// once makes one request on a connection of its own.
func (s *stage) once(ctx context.Context, addr string, request []byte) (answer string, err error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	header, body, err := c.call(call{request: request, size: -1})
	if err != nil {
		return "", err
	}
	header.Del("Date")
	return fmt.Sprint(header, "\n", string(body)), nil
}
