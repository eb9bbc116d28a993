package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// SoakConfig says what Soak tests, and for how long.
type SoakConfig struct {
	Itemcast string        // path of the build
	Only     []string      // names of soaks; empty: all
	Short    bool          // run the short forms, which find broken promises but no leaks
	Lasting  time.Duration // length of each; zero: its default
	Out      io.Writer     // one paragraph for each
	Progress io.Writer     // one line for each step
}

// soak is a test of endurance.
type soak struct {
	name string
	work string
	long time.Duration
	run  func(ctx context.Context, b *build, c SoakConfig, lasting time.Duration) error
}

// shortSoak is the length of the short form of every soak. CI runs all of them.
const shortSoak = 8 * time.Second

var soaks = []soak{
	{"subscribers", "subscribers connect, stall, vanish and resume at random while items change", 5 * time.Minute,
		soakSubscribers},
	{"uploads", "20 uploads of 100 MB at once, while the node is shut down once and killed once", 0, soakUploads},
	{"workflows", "two nodes take workflows to their end, and one of them is killed", 0, soakWorkflows},
}

// SoakNames returns the names of all soaks.
func SoakNames() []string {
	names := make([]string, len(soaks))
	for n, s := range soaks {
		names[n] = s.name
	}
	return names
}

// Soak runs the soaks that c selects, each on a new database. It returns an error when a promise is broken or when
// memory grows.
func Soak(ctx context.Context, c SoakConfig) error {
	for _, name := range c.Only {
		if !slices.Contains(SoakNames(), name) {
			return fmt.Errorf("there is no soak %q; choose from %s", name, strings.Join(SoakNames(), ", "))
		}
	}
	for _, s := range soaks {
		if len(c.Only) > 0 && !slices.Contains(c.Only, s.name) {
			continue
		}
		err := s.start(ctx, c)
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			return fmt.Errorf("soak %s: %w", s.name, err)
		}
	}
	return nil
}

func (s soak) start(ctx context.Context, c SoakConfig) error {
	log := func(format string, args ...any) { logTo(c.Progress, format, args...) }
	items, lasting := 1000, s.long
	if c.Short {
		items, lasting = 200, shortSoak
	}
	if c.Lasting > 0 {
		lasting = c.Lasting
	}
	b, err := openBuild(ctx, c.Itemcast, items, log)
	if err != nil {
		return err
	}
	defer b.close()
	log("%s: %s", s.name, s.work)
	if err := s.run(ctx, b, c, lasting); err != nil {
		return fmt.Errorf("%w%s", err, b.logTail())
	}
	return nil
}
