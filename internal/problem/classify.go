package problem

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// From turns any error into the one that the user is told of: the Error in its chain; UNAVAILABLE when the database cannot be reached,
// has no room or gave up, so that the same request may work in a moment; else INTERNAL, which tells nothing. Nil stays nil.
//
// Whoever answers logs err itself for INTERNAL and UNAVAILABLE: what From returns has lost the cause.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e := Of(err); e != nil {
		return e
	}
	if isTransient(err) {
		return New(Unavailable, "The service cannot do this right now; try again in a moment.")
	}
	return New(Internal, "Itemcast failed to do this, and has logged the error. Try again, or tell the operator.")
}

// MayPass reports whether an error is of the moment, and neither of the request nor of its user: the same may work soon.
func MayPass(err error) bool {
	code := From(err).Code
	return code == Unavailable || code == TooManyRequests
}

func isTransient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, puddle.ErrClosedPool) ||
		errors.Is(err, io.ErrUnexpectedEOF) { // how pgx tells of a server that died while it answered
		return true
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return isTransientState(answer.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, pgconn.ErrConnClosed)
}

// isTransientState knows the SQLSTATEs (PostgreSQL documentation, appendix A) of a server that is away, full or busy.
func isTransientState(state string) bool {
	switch state {
	case "57P01", "57P02", "57P03", // shut down, crashed, starting up
		"57014",                   // canceled, by statement_timeout
		"55P03",                   // lock not available, by lock_timeout
		"25P03", "25P04", "57P05", // idle or over time in a transaction or session
		"40001", "40P01": // serialization failure, deadlock
		return true
	}
	return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "53") // connection exceptions; insufficient resources
}
