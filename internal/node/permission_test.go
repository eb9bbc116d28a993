package node_test

import (
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

func TestSubscription_EndsWithItsUsersPermissionsOnEveryNode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		closed    int
	}{
		"disabled":         {"UPDATE app_user SET active = false", 4401},
		"no api.access":    {"UPDATE role SET permissions = ARRAY['items.view']", 4401},
		"less than before": {"UPDATE role SET permissions = ARRAY['api.access', 'items.view']", 1001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.URL(t)
			nodes := []*nodetest.Node{nodetest.StartOn(t, nodetest.OpenPool(t, url)),
				nodetest.StartOn(t, nodetest.OpenPool(t, url))}
			var all []*nodetest.Socket
			for _, n := range nodes {
				all = append(all, n.Subscribe(nodetest.FollowQuery, nil), n.DialSignedIn())
			}
			if _, err := nodes[0].Pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			for i, s := range all {
				if code, _ := s.AwaitClose(); code != c.closed {
					t.Errorf("socket %d is closed with %d, want %d", i, code, c.closed)
				}
			}
			for _, n := range nodes {
				nodetest.Eventually(t, "the subscriptions have ended",
					func() bool { return n.Metric("itemcast_live_followers") == 0 })
			}
		})
	}
}
