package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// tokens is how many access tokens share the subscribers of a row.
const tokens = 10

// getByToken reads random items by an access token. Its baseline is this build, by HTTP Basic.
func getByToken(connections int) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		bearers, err := s.bearers(ctx, func(b *build) ([]string, error) { return b.makeTokens(ctx, 1, nil) })
		if err != nil {
			return result{}, err
		}
		for _, b := range s.all() {
			if err := b.readItems(ctx); err != nil {
				return result{}, err
			}
		}
		return s.compareLoad(ctx, connections,
			func(b *build) target {
				return b.target(anyOf(b.items, func(i seeded) []byte {
					return message("GET", b.addr, "/api/v1/items/"+i.ID.String(), "Authorization: "+bearers[b][0]+"\r\n", nil)
				}))
			},
			s.this.target(anyOf(s.this.items, s.this.get)))
	}
}

// fanOutToTokens measures fanOut to subscribers by access tokens with different filters, all of which the item matches.
// Its baseline is this build, with as many subscribers by one user.
func fanOutToTokens(n, window int) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		bearers, err := s.bearers(ctx, func(b *build) ([]string, error) {
			return b.makeTokens(ctx, tokens, func(k int) any {
				return map[string]any{"tags": []string{"keynote", fmt.Sprintf("token-%d", k)}}
			})
		})
		if err != nil {
			return result{}, err
		}
		writers, stop, err := s.itemWriters(ctx)
		if err != nil {
			return result{}, err
		}
		defer stop()
		of := fanOutRound{subscribers: n, window: window, length: s.Round}
		r, err := s.alternate(ctx, s.rounds(min(s.Rounds, maxSlowRounds)), rateOf, s.sides(
			func(ctx context.Context, b *build) (round, error) {
				return of.measure(ctx, writers[b], b.dialFollowerBy(bearers[b]), b.processes())
			},
			func(ctx context.Context) (round, error) {
				return of.measure(ctx, writers[s.this], s.this.dialFollower(1), s.this.processes())
			},
		))
		r.notes = []string{fmt.Sprintf("%d subscribers by %d tokens, against as many by one user of this build.", n, tokens)}
		return r, err
	}
}

// bearers makes the tokens of each build. Another build that has no tokens is left out.
func (s *stage) bearers(
	ctx context.Context, make func(b *build) ([]string, error),
) (map[*build][]string, error) {
	made := map[*build][]string{}
	for _, b := range s.all() {
		all, err := make(b)
		switch {
		case err != nil && b == s.other && ctx.Err() == nil:
			s.logf("the other build makes no tokens: %v", err)
			s.other = nil
		case err != nil:
			return nil, fmt.Errorf("make tokens: %w", err)
		}
		made[b] = all
	}
	return made, nil
}

// makeTokens makes access tokens that may view items, each with a filter unless that is nil, and removes their limit.
// It returns the values of their header Authorization.
func (b *build) makeTokens(ctx context.Context, count int, filter func(k int) any) (bearers []string, err error) {
	for k := range count {
		input := map[string]any{"name": fmt.Sprintf("bench %d", k), "permissions": []string{"items.view"}}
		if filter != nil {
			input["filter"] = filter(k)
		}
		body, err := json.Marshal(input)
		if err != nil {
			return nil, err
		}
		response, err := b.api(ctx, http.MethodPost, "/api/v1/tokens", string(body))
		if err != nil {
			return nil, err
		}
		var made struct{ Secret string }
		if err := json.Unmarshal(response, &made); err != nil {
			return nil, err
		}
		if !strings.HasPrefix(made.Secret, "ict_") {
			return nil, errors.New("the new token has no secret")
		}
		bearers = append(bearers, "Bearer "+made.Secret)
	}
	return bearers, b.exec(ctx, "UPDATE access_token SET requests_per_minute = 2000000000") // the contract allows 60,000
}

// dialFollowerBy subscribes, each follower by one of some tokens.
func (n *node) dialFollowerBy(bearers []string) opener {
	return func(ctx context.Context, k int) (*follower, error) {
		return dialFollower(ctx, n.addr, "/graphql", subscriptionQuery, bearers[k%len(bearers)])
	}
}
