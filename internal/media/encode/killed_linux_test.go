package encode_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"itemcast/internal/media/encode"
	"itemcast/internal/media/mediatest"
	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

// kill sends a signal to the ffmpeg that works in a folder.
func kill(t *testing.T, dir string, signal syscall.Signal) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range all {
		at, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(at, dir) {
			continue
		}
		process := filepath.Dir(link)
		if name, err := os.ReadFile(process + "/comm"); err != nil || strings.TrimSpace(string(name)) != "ffmpeg" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(process))
		if err == nil {
			err = syscall.Kill(pid, signal)
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("no ffmpeg works there")
}

// After a SIGTERM, ffmpeg ends the playlist as if it were whole. A kernel without memory sends SIGKILL.
func TestRun_AKilledFFmpegHandsNothingOverAndIsNotTheFilesFault(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "long.mp4", "-f lavfi -i testsrc2=s=640x360:r=30:d=30", mediatest.H264)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		dir, killed := t.TempDir(), false
		err := plan(t, path, fast).Run(t.Context(), path, dir, func(percent int) {
			if percent > 10 && !killed {
				killed = true
				kill(t, dir, signal)
			}
		}, func(r encode.Rendition) error {
			t.Errorf("%s: %s was handed over", signal, r.Name)
			return nil
		})
		if f, ok := errors.AsType[*program.Failure](err); !killed || !ok || f.Reason != program.Interrupted || problem.Of(err) != nil {
			t.Errorf("%s: killed %t, got %v", signal, killed, err)
		}
	}
}
