package main

import (
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestMain(m *testing.M) { nodetest.Main(m) }
