package process

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOpenScratch_RemovesWhatDeadProcessesHaveLeftAndNothingElse(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "scratch")
	mine, release, err := openScratch(root)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(root, scratchPrefix+"dead")
	other := filepath.Join(root, "notes")
	for _, dir := range []string{dead, other} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, lockFile), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, releaseSecond, err := openScratch(root)
	if err != nil {
		t.Fatal(err)
	}
	exists := func(dir string) bool {
		_, err := os.Stat(dir)
		return err == nil
	}
	if exists(dead) || !exists(mine) || !exists(other) {
		t.Errorf("dead %t, mine %t, other %t", exists(dead), exists(mine), exists(other))
	}
	release()
	releaseSecond()
	if exists(mine) {
		t.Error("the folder stays when its job has ended")
	}
}
