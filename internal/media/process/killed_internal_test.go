package process

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

func TestWhileKilled_BeginsAgainAndFailsWithASentence(t *testing.T) {
	t.Parallel()
	p := New(Config{Log: slog.New(slog.DiscardHandler), Pauses: []time.Duration{1, 1, 1}})
	_, killed := program.Run(t.Context(), program.Command{Name: "sh", Args: []string{"-c", "kill -KILL $$"},
		Dir: t.TempDir()})
	damaged := problem.New(problem.RuleViolated, "The file is damaged.")
	for name, c := range map[string]struct {
		results []error
		want    string // of the error; "": none
	}{
		"killed once":     {[]error{killed, nil}, ""},
		"killed, then":    {[]error{killed, killed, damaged}, "The file is damaged."},
		"killed for good": {[]error{killed, killed, killed, killed}, "has killed sh 4 times"},
		"not killed":      {[]error{damaged}, "The file is damaged."},
	} {
		calls := 0
		err := p.whileKilled(t.Context(), uuid.Nil, func() error {
			calls++
			return c.results[calls-1]
		})
		shown := ""
		if known := problem.Of(err); known != nil {
			shown = known.Detail
		}
		if calls != len(c.results) || (err == nil) != (c.want == "") || !strings.Contains(shown, c.want) {
			t.Errorf("%s: got %v after %d attempts", name, err, calls)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	lost := errors.New("the lease is lost")
	err := p.whileKilled(ctx, uuid.Nil, func() error { cancel(lost); return killed })
	if !errors.Is(err, killed) {
		t.Errorf("after the end of its context: got %v", err)
	}
}
