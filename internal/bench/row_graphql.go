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
	mostStatements  = 3
	countingQueries = 500
)

// queryItems asks for the newest 50 items by GraphQL, against the hand-written list.
func queryItems(ctx context.Context, s *stage) (result, error) {
	body, err := json.Marshal(map[string]string{"query": itemsQuery})
	if err != nil {
		return result{}, err
	}
	request := s.product.request("POST", "/graphql", "Content-Type: application/json\r\n", body)
	answer, err := s.once(ctx, s.product.addr, request)
	if err != nil {
		return result{}, err
	}
	_, answer, _ = strings.Cut(answer, "\n")
	if assets := strings.Count(answer, `"contentType"`); assets != 100 || strings.Contains(answer, `"errors"`) {
		return result{}, fmt.Errorf("the query does not answer with 50 items and their assets: %.500s", answer)
	}
	statements, err := s.statementsOf(ctx, request)
	if err != nil {
		return result{}, err
	}
	baseline, err := s.listBaseline(ctx)
	if err != nil {
		return result{}, err
	}
	r, err := s.compare(ctx, s.asking(s.product, always(request, len(answer))), baseline, 0.50)
	r.met = r.met && statements <= mostStatements
	r.notes = append(r.notes, fmt.Sprintf("%d statement(s) a query (pg_stat_database over %d queries); %d bytes against the list's %d", statements, countingQueries,
		len(answer), baseline.next().size))
	return r, err
}

// statementsOf counts the statements of a request that opens no transaction: each is a transaction of its own. A session of Postgres reports
// what it did once a second, at the end of a transaction. The product's timers add some, which rounding takes away.
func (s *stage) statementsOf(ctx context.Context, request []byte) (int, error) {
	before, err := s.reported(ctx, request)
	if err != nil {
		return 0, err
	}
	for range countingQueries {
		if _, err := s.once(ctx, s.product.addr, request); err != nil {
			return 0, err
		}
	}
	after, err := s.reported(ctx, request)
	return int(math.Round(float64(after-before) / (countingQueries + 1))), err
}

func (s *stage) reported(ctx context.Context, request []byte) (transactions int64, err error) {
	time.Sleep(1100 * time.Millisecond)
	if _, err := s.once(ctx, s.product.addr, request); err != nil {
		return 0, err
	}
	time.Sleep(50 * time.Millisecond)
	err = s.pool.QueryRow(ctx, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()").Scan(&transactions)
	return transactions, err
}
