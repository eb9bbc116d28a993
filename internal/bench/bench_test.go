package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == BaselineCommand {
		if err := RunBaseline(context.Background(), os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

var builtIn string // the directory of the binary, once it is built

// buildOnce builds Itemcast once for all tests.
var buildOnce = sync.OnceValues(func() (path string, err error) {
	if builtIn, err = os.MkdirTemp("", "itemcast-binary-*"); err != nil {
		return "", err
	}
	path = filepath.Join(builtIn, "itemcast")
	build := exec.Command("go", "build", "-o", path, "itemcast/cmd/itemcast")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func mustBuild(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Itemcast")
	}
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// logOf writes the steps of a run into the test's log.
type logOf struct{ t *testing.T }

func (l logOf) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimRight(string(line), "\n"))
	return len(line), nil
}

// TestSoak_ShortForms is what CI runs of `make soak`.
func TestSoak_ShortForms(t *testing.T) {
	t.Parallel()
	path := mustBuild(t)
	err := Soak(t.Context(), SoakConfig{Itemcast: path, Short: true, Out: logOf{t}, Progress: logOf{t}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRun_ComparesABuildWithItself(t *testing.T) {
	t.Parallel()
	path := mustBuild(t)
	var out strings.Builder
	err := Run(t.Context(), Config{
		Itemcast: path, Beside: path, Only: []string{"get-1", "patch-1"}, Rounds: 1, Round: 50 * time.Millisecond,
		Items: 120, Connections: 1, Out: &out, Progress: logOf{t},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `GET /items/{id}`, 1 client |", "| `PATCH /items/{id}`, 1 client |", "Other build: dev.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %s:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "not comparable") {
		t.Errorf("the writer does not fit the build's own database:\n%s", &out)
	}
}
