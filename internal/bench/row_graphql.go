package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	itemsQuery      = `{ items(first: 50) { nodes { id name description tags assets { id kind url contentType } } } }`
	maxStatements   = 3
	countingQueries = 500
)

// queryItems reads the newest 50 items by GraphQL, beside the baseline's list.
func queryItems(ctx context.Context, s *stage) (result, error) {
	sizes := map[*build]int{}
	for _, b := range s.all() {
		_, response, err := once(ctx, b.addr, b.query())
		if err != nil {
			return result{}, err
		}
		if assets := strings.Count(response, `"contentType"`); assets != 100 || strings.Contains(response, `"errors"`) {
			return result{}, fmt.Errorf("the response does not have 50 items and their assets: %.500s", response)
		}
		sizes[b] = len(response)
	}
	statements, err := s.this.countStatements(ctx, s.this.query())
	if err != nil {
		return result{}, err
	}
	baseline, err := s.listBaseline(ctx)
	if err != nil {
		return result{}, err
	}
	r, err := s.compareLoad(ctx, s.Connections,
		func(b *build) target { return b.target(always(b.query(), sizes[b])) }, baseline)
	if statements > maxStatements {
		r.unmet = append(r.unmet, fmt.Sprintf("%d statements", statements))
	}
	const note = "%d statement(s) a query (pg_stat_database over %d queries); %d bytes, and the list's %d."
	r.notes = append(r.notes, fmt.Sprintf(note, statements, countingQueries, sizes[s.this], baseline.next().size))
	return r, err
}

func (n *node) query() []byte {
	body, err := json.Marshal(map[string]string{"query": itemsQuery})
	if err != nil {
		panic(err) // a map of strings always has a JSON
	}
	return n.request("POST", "/graphql", "Content-Type: application/json\r\n", body)
}

// countStatements counts the statements of a request that opens no transaction, so that each is a transaction of its
// own. The node's timers run some statements too; rounding removes them.
func (b *build) countStatements(ctx context.Context, request []byte) (int, error) {
	before, err := b.transactions(ctx, request)
	if err != nil {
		return 0, err
	}
	for range countingQueries {
		if _, _, err := once(ctx, b.addr, request); err != nil {
			return 0, err
		}
	}
	after, err := b.transactions(ctx, request)
	return int(math.Round(float64(after-before) / (countingQueries + 1))), err
}

// transactions reads the number of transactions so far. A Postgres session reports its own at the end of a
// transaction, at most once a second: hence a pause and one more request.
func (b *build) transactions(ctx context.Context, request []byte) (n int64, err error) {
	if err := sleep(ctx, 1100*time.Millisecond); err != nil {
		return 0, err
	}
	if _, _, err := once(ctx, b.addr, request); err != nil {
		return 0, err
	}
	if err := sleep(ctx, pollInterval); err != nil {
		return 0, err
	}
	const query = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
	err = b.pool.QueryRow(ctx, query).Scan(&n)
	return n, err
}
