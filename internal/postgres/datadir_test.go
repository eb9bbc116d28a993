package postgres

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeCluster creates a directory that looks like a complete cluster of a major version.
func fakeCluster(t *testing.T, major string) string {
	t.Helper()
	dir := newDataDir(t)
	for _, folder := range []string{"global", "base", "pg_wal"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for file, content := range map[string]string{
		"PG_VERSION": major + "\n", "global/pg_control": "x", "postgresql.conf": "", "pg_hba.conf": "",
		passwordFile: "secret\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStart_RefusesWhatItCannotRunAndChangesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  []string
	}{
		"another major version": {
			func(t *testing.T, dir string) { write(t, dir, "PG_VERSION", "99\n") },
			[]string{"Postgres 99", "found: "},
		},
		"a version that is too old": {
			func(t *testing.T, dir string) { write(t, dir, "PG_VERSION", "13\n") },
			[]string{"Postgres 13", "needs 14"},
		},
		"an unknown version": {
			func(t *testing.T, dir string) { write(t, dir, "PG_VERSION", "9.6\n") },
			[]string{"damaged", `"9.6"`},
		},
		"not Postgres": {
			func(t *testing.T, dir string) { remove(t, dir, "PG_VERSION") },
			[]string{"not a Postgres data directory"},
		},
		"no control file": {
			func(t *testing.T, dir string) { remove(t, dir, "global/pg_control") },
			[]string{"damaged", "global/pg_control is missing"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := fakeCluster(t, "15")
			test.spoil(t, dir)
			before := listing(t, dir)
			_, err := tryStart(t, dir)
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range append(test.want, dir) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if after := listing(t, dir); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

func TestStart_ErrorContainsTheMessageOfPostgres(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	_, err := tryStart(t, dir, func(c *Config) {
		c.Settings = map[string]string{"fsync": "off", "max_connections": "none"}
	})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "max_connections": "none"`) {
		t.Fatalf("got %v", err)
	}
}

func TestFindPrograms_NamesWhatToInstallWhenTheDownloadFails(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: newDataDir(t), CacheDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	_, err := findPrograms(t.Context(), contents{major: 98}, cfg)
	if err == nil || !strings.Contains(err.Error(), "install Postgres 98") {
		t.Fatalf("got %v", err)
	}
}

func TestLogWriter_KeepsTheLevelForDetails(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	w := &logWriter{log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, part := range []string{"PANIC:  disk", " full\nHINT:  buy", " one\nLOG:  fine\n"} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		`level=ERROR msg="postgres: disk full"`,
		`level=ERROR msg="postgres: HINT:  buy one"`,
		`level=DEBUG msg="postgres: fine"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in:\n%s", want, out.String())
		}
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var lines []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			lines = append(lines, path+" "+info.Mode().String()+" "+info.ModTime().String())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
