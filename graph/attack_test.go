package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
)

// bomb is a query that doubles with each of its fragments.
func bomb(fragments int) string {
	var query strings.Builder
	query.WriteString("{ me { ...A0 } }")
	for n := range fragments {
		fmt.Fprintf(&query, " fragment A%d on Me { ...A%d ...A%d }", n, n+1, n+1)
	}
	fmt.Fprintf(&query, " fragment A%d on Me { id }", fragments)
	return query.String()
}

// A small query that spreads into a huge one is refused at once.
func TestAttack_FragmentsThatDoubleAreMeasuredOnce(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	begun := time.Now()
	for _, fragments := range []int{14, 24, 40, 60} {
		if _, codes := n.TryGraphQL(bomb(fragments), nil); len(codes) != 1 || codes[0] != "SIZE_LIMIT_EXCEEDED" {
			t.Errorf("%d fragments: %v", fragments, codes)
		}
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	if _, codes := n.TryGraphQL(bomb(8), nil); codes != nil {
		t.Errorf("a harmless one: %v", codes)
	}
	if _, codes := n.TryGraphQL("{ me { id } } #"+strings.Repeat("x", 40_000), nil); len(codes) != 1 || codes[0] != "QUERY_TOO_LONG" {
		t.Errorf("a long one: %v", codes)
	}
	var tags strings.Builder
	for k := range 100 {
		fmt.Fprintf(&tags, "t%d: tags { name } ", k)
	}
	if _, codes := n.TryGraphQL("{"+tags.String()+"}", nil); len(codes) != 1 || codes[0] != "COMPLEXITY_LIMIT_EXCEEDED" {
		t.Errorf("a table read a hundred times: %v", codes)
	}
}

// Nobody gets anything parsed over a WebSocket without having signed in.
func TestAttack_AWebSocketWithoutCredentialsIsClosed(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	s := n.Dial()
	s.Send(map[string]any{"type": "connection_init"})
	if code, _ := s.AwaitClose(); code != 4403 {
		t.Errorf("closed with %d", code)
	}
}

// Permissions are those of now on an open WebSocket too, for what it is told and for what it does.
func TestAttack_AWebSocketEndsWithItsUsersPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		code      int
	}{
		"user":    {"UPDATE app_user SET active = false", 4403},
		"access":  {"UPDATE role SET permissions = ARRAY['items.view']", 4403},
		"address": {"UPDATE app_user SET email = 'someone.else@example.com'", 4403},
		"role":    {"UPDATE role SET permissions = ARRAY['api.access', 'items.create']", 1001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t)
			s := n.Subscribe(nodetest.FollowQuery, nil)
			if _, err := n.Pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if code, _ := s.AwaitClose(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
			t.Logf("after %s", time.Since(begun))
		})
	}
}
