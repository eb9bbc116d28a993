// Package soak sets the length of tests that repeat a fault, such as a kill. CI runs their short forms; `make soak`
// sets ITEMCAST_SOAK and runs the long ones. Only tests may import it.
package soak

import (
	"os"
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
