package dispatch

import (
	"math"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
)

// The log must retain what a delivery or a replay may have to read, and nothing else.
func TestHold_IsBeforePendingDeliveriesAndChangesToReplay(t *testing.T) {
	b := setup(t)
	finish := make(chan struct{})
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		if m.Header.Get("Itemcast-Trigger") == "hook" && hook.PositionOf(uuid.MustParse(m.ID())) == 3 {
			<-finish
		}
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	n := b.node(Config{})
	holds := func(what string, want change.Position) {
		t.Helper()
		b.Eventually(what, func() bool {
			got, err := n.Hold(b.Ctx)
			return err == nil && got == want
		})
	}
	holds("nothing is pending", math.MaxInt64)
	for range 5 {
		b.write(n, uuid.New(), change.Created)
	}
	holds("the third is being sent", 2)
	b.serveOn(n)
	b.Replay(h, hook.ReplayFrom{After: n.feed.Cursor(1), Rate: 1})
	holds("a replay has still to read", 1)
	if err := b.Service.StopReplay(b.Ctx, h.ID); err != nil {
		t.Fatal(err)
	}
	close(finish)
	holds("all have ended, and the replay is stopped", math.MaxInt64)
}
