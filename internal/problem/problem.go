// Package problem is the one vocabulary of failure: a stable code, what to do in words, and the faults of bad input.
//
// Services return these errors; the edges turn them into RFC 9457 documents (REST) and error extensions (GraphQL). Every other error
// is internal: it is logged, and the user sees only INTERNAL. The package knows nothing of transports beyond the HTTP status of a code.
package problem

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Code is stable: programs may depend on it.
type Code string

// The codes, the same over REST and GraphQL.
const (
	BadRequest           Code = "BAD_REQUEST"
	InvalidJSON          Code = "INVALID_JSON"
	InvalidInput         Code = "INVALID_INPUT"
	InvalidCursor        Code = "INVALID_CURSOR"
	CursorExpired        Code = "CURSOR_EXPIRED"
	Unauthenticated      Code = "UNAUTHENTICATED"
	Forbidden            Code = "FORBIDDEN"
	NotFound             Code = "NOT_FOUND"
	MethodNotAllowed     Code = "METHOD_NOT_ALLOWED"
	NotAcceptable        Code = "NOT_ACCEPTABLE"
	Conflict             Code = "CONFLICT"
	NoHook               Code = "NO_HOOK"
	IdempotencyKeyInUse  Code = "IDEMPOTENCY_KEY_IN_USE"
	IdempotencyKeyReused Code = "IDEMPOTENCY_KEY_REUSED"
	RevisionMismatch     Code = "REVISION_MISMATCH"
	TooLarge             Code = "TOO_LARGE"
	UnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	RuleViolated         Code = "RULE_VIOLATED"
	TooManyRequests      Code = "TOO_MANY_REQUESTS"
	Internal             Code = "INTERNAL"
	Unavailable          Code = "UNAVAILABLE"
)

var statuses = map[Code]int{
	BadRequest:           http.StatusBadRequest,
	InvalidJSON:          http.StatusBadRequest,
	InvalidInput:         http.StatusBadRequest,
	InvalidCursor:        http.StatusBadRequest,
	CursorExpired:        http.StatusGone,
	Unauthenticated:      http.StatusUnauthorized,
	Forbidden:            http.StatusForbidden,
	NotFound:             http.StatusNotFound,
	MethodNotAllowed:     http.StatusMethodNotAllowed,
	NotAcceptable:        http.StatusNotAcceptable,
	Conflict:             http.StatusConflict,
	NoHook:               http.StatusConflict,
	IdempotencyKeyInUse:  http.StatusConflict,
	IdempotencyKeyReused: http.StatusUnprocessableEntity,
	RevisionMismatch:     http.StatusPreconditionFailed,
	TooLarge:             http.StatusRequestEntityTooLarge,
	UnsupportedMediaType: http.StatusUnsupportedMediaType,
	RuleViolated:         http.StatusUnprocessableEntity,
	TooManyRequests:      http.StatusTooManyRequests,
	Internal:             http.StatusInternalServerError,
	Unavailable:          http.StatusServiceUnavailable,
}

// Status is the HTTP status of a code; 500 for one that is not known.
func (c Code) Status() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// Error is a failure that a user is told of. Detail says what to do.
type Error struct {
	Code     Code
	Detail   string
	Faults   Faults
	Revision int64 // with RevisionMismatch: the revision that there is

	RetryAfter time.Duration // with TooManyRequests and Unavailable: when to try again; 0: in a moment
}

// RetrySeconds is RetryAfter as the header of that name has it.
func (e *Error) RetrySeconds() string {
	return strconv.Itoa(max(1, int((e.RetryAfter+time.Second-1)/time.Second)))
}

func (e *Error) Error() string {
	if len(e.Faults) > 0 {
		return fmt.Sprintf("%s: %s (%v)", e.Code, e.Detail, e.Faults)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Detail)
}

// New makes an error whose detail is shown to the user.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid makes an error of faults: InvalidInput for what the contract forbids, RuleViolated for what the account's rules forbid.
func Invalid(code Code, faults ...Fault) *Error {
	return &Error{Code: code, Detail: "The input has faults; each is named in errors.", Faults: faults}
}

// Of finds the Error in err's chain; nil when there is none, which makes err an internal one.
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool {
	e := Of(err)
	return e != nil && e.Code == code
}
