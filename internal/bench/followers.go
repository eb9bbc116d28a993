package bench

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// maxDials is how many followers connect at a time.
const maxDials = 32

// opener opens the k-th of many followers.
type opener func(ctx context.Context, k int) (*follower, error)

type followers []*follower

// openFollowers opens n followers. Together with an error, it returns the followers that are open.
func openFollowers(ctx context.Context, n int, open opener) (followers, error) {
	all := make(followers, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxDials)
	for k := range all {
		group.Go(func() (err error) {
			all[k], err = open(ctx, k)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return all, fmt.Errorf("connect: %w", err)
	}
	return all, nil
}

func (all followers) close() {
	for _, one := range all {
		if one != nil {
			one.close()
		}
	}
}

// dialFollower subscribes, each follower with one of a number of distinct queries.
func (n *node) dialFollower(distinct int) opener {
	return func(ctx context.Context, k int) (*follower, error) {
		query := subscriptionQuery
		if distinct > 1 {
			query = strings.Replace(query, "kind", fmt.Sprintf("k%02d: kind", k%distinct), 1)
		}
		return dialFollower(ctx, n.addr, "/graphql", query, authorization)
	}
}

func (b *baselineProcess) dialFollower(ctx context.Context, _ int) (*follower, error) {
	return dialFollower(ctx, b.addr, "/broadcast", "", "")
}
