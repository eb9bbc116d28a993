package encode_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"itemcast/internal/media/encode"
	"itemcast/internal/problem"
)

// A program that hangs is ended, whatever it waits for, and the run says so.
func TestRun_EndsAProgramThatIsStuck(t *testing.T) {
	path := plain(t)
	settings := fast
	settings.Stall = 200 * time.Millisecond
	ladder := plan(t, path, settings)
	programs := t.TempDir()
	if err := os.WriteFile(filepath.Join(programs, "ffmpeg"), []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	err := ladder.Run(t.Context(), path, t.TempDir(), func(int) {}, func(encode.Rendition) error { return nil })
	if e := problem.Of(err); e == nil || !strings.HasPrefix(e.Detail, "Processing made no progress for 200ms.") {
		t.Errorf("got %v", err)
	}
}
