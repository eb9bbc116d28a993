package node_test

import (
	"testing"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

func TestMain(m *testing.M) { nodetest.Main(m, browsertest.Close) }
