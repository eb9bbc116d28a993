package problem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"itemcast/internal/problem"
)

func TestFrom_FailuresOfTheDatabaseAreUnavailable(t *testing.T) {
	t.Parallel()
	if problem.From(nil) != nil {
		t.Error("nil is a problem")
	}
	_, refused := pgx.Connect(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=1")
	for name, c := range map[string]struct {
		err  error
		want problem.Code
	}{
		"ours":             {fmt.Errorf("wrapped: %w", problem.New(problem.Conflict, "x")), problem.Conflict},
		"unknown":          {errors.New("x"), problem.Internal},
		"connect":          {fmt.Errorf("acquire: %w", refused), problem.Unavailable},
		"network":          {&net.OpError{Op: "read", Err: errors.New("reset")}, problem.Unavailable},
		"closed":           {pgconn.ErrConnClosed, problem.Unavailable},
		"cut off":          {io.ErrUnexpectedEOF, problem.Unavailable},
		"timeout":          {context.DeadlineExceeded, problem.Unavailable},
		"shut down":        {&pgconn.PgError{Code: "57P01"}, problem.Unavailable},
		"starting":         {&pgconn.PgError{Code: "57P03"}, problem.Unavailable},
		"connection":       {&pgconn.PgError{Code: "08006"}, problem.Unavailable},
		"full":             {&pgconn.PgError{Code: "53300"}, problem.Unavailable},
		"deadlock":         {&pgconn.PgError{Code: "40P01"}, problem.Unavailable},
		"unique violation": {&pgconn.PgError{Code: "23505"}, problem.Internal},
		"bad SQL":          {&pgconn.PgError{Code: "42601"}, problem.Internal},
		"no rows":          {pgx.ErrNoRows, problem.Internal},
	} {
		if got := problem.From(c.err); got.Code != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
