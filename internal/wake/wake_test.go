package wake_test

import (
	"testing"

	"itemcast/internal/wake"
)

func TestSend_LeavesOneSignalAndNeverBlocks(t *testing.T) {
	t.Parallel()
	s := wake.New()
	for range 3 {
		s.Send()
	}
	if len(s) != 1 {
		t.Errorf("%d signals wait", len(s))
	}
	<-s
	s.Send()
	if len(s) != 1 {
		t.Error("after the work, a signal is lost")
	}
}
