package dbtest

import (
	"fmt"
	"testing"
	"testing/fstest"
	"time"
)

// Several checkouts share a server, each with migrations of its own.
func TestTemplates_TheOldestGoButThoseInUseStay(t *testing.T) {
	t.Parallel()
	url := Cluster(t, nil).URL()
	connected := func(version int) *server {
		s, err := connect(t.Context(), url, fstest.MapFS{
			"00001_version.sql": {Data: fmt.Appendf(nil, "-- +goose Up\nSELECT %d;\n", version)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := connected(0)
	defer first.admin.Close()
	for version := range unusedKept + 3 {
		connected(1 + version).admin.Close()
	}
	last := connected(100)
	defer last.admin.Close()
	templates := func() (count int) {
		if err := last.dropStale(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := last.admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE starts_with(datname, $1)",
			templatePrefix).Scan(&count)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	for end := time.Now().Add(timeout); templates() > unusedKept+2; <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) { // a connection ends a moment after its pool
			t.Fatalf("%d templates, want %d", templates(), unusedKept+2)
		}
	}
	if _, err := first.create(t.Context()); err != nil {
		t.Errorf("the template of a process that still runs: %v", err)
	}
}
