package workflow

import (
	"testing"
	"time"

	"itemcast/internal/hook"
)

func TestExplain_NamesTheRetryAndWhatATaskIsBehind(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 27, 10, 32, 0, 0, time.UTC)
	failing := hook.TaskDelivery{Attempts: 3, NextAttemptAt: &at, LastError: "The receiver answers 503"}
	behind := failing
	behind.IsBehind = true
	for want, d := range map[string]hook.TaskDelivery{
		"": {},
		"retry 3 of 7 at 10:32 UTC: The receiver answers 503":          failing,
		"it is behind an earlier delivery of the item to the same URL": {IsBehind: true},
		"it is behind an earlier delivery of the item to the same URL, retry 3 of 7 at 10:32 UTC: " +
			"The receiver answers 503": behind,
	} {
		if got := detailOf(d); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
