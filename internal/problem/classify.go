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

// From returns what the client sees of an error: the Error in its chain; UNAVAILABLE if the database is down, full or
// busy, so that the same request may succeed in a moment; else INTERNAL, which reveals nothing. For nil it returns nil.
//
// Log err itself for INTERNAL and UNAVAILABLE: the result does not have the cause.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e := Of(err); e != nil {
		return e
	}
	if isTransient(err) {
		return New(Unavailable, "Itemcast cannot do this at the moment. Try again soon.")
	}
	return New(Internal, "Itemcast failed to do this, and has logged the error. Try again, or tell the operator.")
}

// IsTemporary reports whether the same request may succeed soon: neither the request nor its user is the cause of the
// error.
func IsTemporary(err error) bool {
	return From(err).Code.IsTemporary()
}

// IsTemporary reports whether the code is one after which the same request may succeed soon.
func (c Code) IsTemporary() bool {
	return c == Unavailable || c == StorageUnavailable || c == TooManyRequests
}

func isTransient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, puddle.ErrClosedPool) ||
		errors.Is(err, io.ErrUnexpectedEOF) { // of pgx, when the server dies while it responds
		return true
	}
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return isTransientState(failure.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, pgconn.ErrConnClosed)
}

// isTransientState reports whether an SQLSTATE (PostgreSQL documentation, appendix A) is that of a server that is down,
// full or busy.
func isTransientState(state string) bool {
	switch state {
	case "57P01", "57P02", "57P03", // shut down, crashed, starting up
		"57014",                   // canceled, by statement_timeout
		"55P03",                   // lock not available, by lock_timeout
		"25P03", "25P04", "57P05", // idle or over time in a transaction or session
		"40001", "40P01": // serialization failure, deadlock
		return true
	}
	const connectionException, insufficientResources = "08", "53" // classes
	return strings.HasPrefix(state, connectionException) || strings.HasPrefix(state, insufficientResources)
}
