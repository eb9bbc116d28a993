// Package soak sets the length of tests that repeat a fault, such as a kill. CI runs their short forms; `make soak`
// sets ITEMCAST_SOAK and runs the long ones. Only tests may import it.
package soak

import (
	"iter"
	"maps"
	"os"
	"slices"
	"testing"
)

// Times returns short, or long when ITEMCAST_SOAK is set.
func Times(short, long int) int {
	if os.Getenv("ITEMCAST_SOAK") != "" {
		return long
	}
	return short
}

// Only skips a test that is too long for CI, unless ITEMCAST_SOAK is set.
func Only(t testing.TB) {
	t.Helper()
	if os.Getenv("ITEMCAST_SOAK") == "" {
		t.Skip("make soak runs it")
	}
}

// Some returns every n-th row of a table, in the order of their names, or all of them when ITEMCAST_SOAK is set.
func Some[R any](n int, table map[string]R) iter.Seq2[string, R] {
	return func(yield func(string, R) bool) {
		for i, name := range slices.Sorted(maps.Keys(table)) {
			if i%Times(n, 1) == 0 && !yield(name, table[name]) {
				return
			}
		}
	}
}
