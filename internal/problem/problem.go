// Package problem defines the errors that clients see: a stable code, a text that says what to do, and the faults of an
// invalid input.
//
// Services return these errors. The edges encode them as RFC 9457 documents (REST) and as error extensions (GraphQL).
// Every other error is internal: it is logged, and the client sees only INTERNAL. Of the transports, the package knows
// only the HTTP status of a code.
package problem

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Code identifies a kind of failure. Codes are stable: programs may depend on them.
type Code string

// The codes of REST and GraphQL.
const (
	BadRequest           Code = "BAD_REQUEST"
	InvalidJSON          Code = "INVALID_JSON"
	InvalidInput         Code = "INVALID_INPUT"
	InvalidCursor        Code = "INVALID_CURSOR"
	InvalidPageToken     Code = "INVALID_PAGE_TOKEN"
	CursorExpired        Code = "CURSOR_EXPIRED"
	Unauthenticated      Code = "UNAUTHENTICATED"
	Forbidden            Code = "FORBIDDEN"
	OriginNotAllowed     Code = "ORIGIN_NOT_ALLOWED"
	TicketMissing        Code = "TICKET_MISSING"
	TicketInvalid        Code = "TICKET_INVALID"
	TicketExpired        Code = "TICKET_EXPIRED"
	TicketUsed           Code = "TICKET_USED"
	UploadsDisabled      Code = "UPLOADS_DISABLED"
	NotFound             Code = "NOT_FOUND"
	MethodNotAllowed     Code = "METHOD_NOT_ALLOWED"
	NotAcceptable        Code = "NOT_ACCEPTABLE"
	Conflict             Code = "CONFLICT"
	NoHook               Code = "NO_HOOK"
	WorkflowRunning      Code = "WORKFLOW_RUNNING"
	ActionNotWaiting     Code = "ACTION_NOT_WAITING"
	IdempotencyKeyInUse  Code = "IDEMPOTENCY_KEY_IN_USE"
	IdempotencyKeyReused Code = "IDEMPOTENCY_KEY_REUSED"
	RevisionMismatch     Code = "REVISION_MISMATCH"
	RangeNotSatisfiable  Code = "RANGE_NOT_SATISFIABLE"
	UnsupportedVersion   Code = "UNSUPPORTED_VERSION"
	ChecksumMismatch     Code = "CHECKSUM_MISMATCH"
	Gone                 Code = "GONE"
	Locked               Code = "LOCKED"
	TooLarge             Code = "TOO_LARGE"
	QuotaExceeded        Code = "QUOTA_EXCEEDED"
	UnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	RuleViolated         Code = "RULE_VIOLATED"
	UpgradeRequired      Code = "UPGRADE_REQUIRED"
	TooManyRequests      Code = "TOO_MANY_REQUESTS"
	Internal             Code = "INTERNAL"
	Unavailable          Code = "UNAVAILABLE"
	StorageUnavailable   Code = "STORAGE_UNAVAILABLE"
)

// StatusChecksumMismatch is a status of tus (1.0.0, "Checksum").
const StatusChecksumMismatch = 460

var statuses = map[Code]int{
	BadRequest:           http.StatusBadRequest,
	InvalidJSON:          http.StatusBadRequest,
	InvalidInput:         http.StatusBadRequest,
	InvalidCursor:        http.StatusBadRequest,
	InvalidPageToken:     http.StatusBadRequest,
	CursorExpired:        http.StatusGone,
	Unauthenticated:      http.StatusUnauthorized,
	Forbidden:            http.StatusForbidden,
	OriginNotAllowed:     http.StatusForbidden,
	TicketMissing:        http.StatusUnauthorized,
	TicketInvalid:        http.StatusUnauthorized,
	TicketExpired:        http.StatusForbidden,
	TicketUsed:           http.StatusConflict,
	UploadsDisabled:      http.StatusForbidden,
	NotFound:             http.StatusNotFound,
	MethodNotAllowed:     http.StatusMethodNotAllowed,
	NotAcceptable:        http.StatusNotAcceptable,
	Conflict:             http.StatusConflict,
	NoHook:               http.StatusConflict,
	WorkflowRunning:      http.StatusConflict,
	ActionNotWaiting:     http.StatusConflict,
	IdempotencyKeyInUse:  http.StatusConflict,
	IdempotencyKeyReused: http.StatusUnprocessableEntity,
	RevisionMismatch:     http.StatusPreconditionFailed,
	RangeNotSatisfiable:  http.StatusRequestedRangeNotSatisfiable,
	UnsupportedVersion:   http.StatusPreconditionFailed,
	ChecksumMismatch:     StatusChecksumMismatch,
	Gone:                 http.StatusGone,
	Locked:               http.StatusLocked,
	TooLarge:             http.StatusRequestEntityTooLarge,
	QuotaExceeded:        http.StatusRequestEntityTooLarge,
	UnsupportedMediaType: http.StatusUnsupportedMediaType,
	RuleViolated:         http.StatusUnprocessableEntity,
	UpgradeRequired:      http.StatusUpgradeRequired,
	TooManyRequests:      http.StatusTooManyRequests,
	Internal:             http.StatusInternalServerError,
	Unavailable:          http.StatusServiceUnavailable,
	StorageUnavailable:   http.StatusServiceUnavailable,
}

// Status returns the HTTP status of a code, or 500 for an unknown one.
func (c Code) Status() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// Error is a failure that the client sees.
type Error struct {
	Code     Code
	Detail   string // what is wrong, and what to do
	Faults   Faults
	Revision int64 // with RevisionMismatch: the current revision

	RetryAfter time.Duration // with a code after which clients retry: the time to wait before that; 0: a second
}

// RetrySeconds returns the value of the header Retry-After: RetryAfter in whole seconds, rounded up, at least 1.
func (e *Error) RetrySeconds() string {
	return strconv.Itoa(max(1, int((e.RetryAfter+time.Second-1)/time.Second)))
}

func (e *Error) Error() string {
	if len(e.Faults) > 0 {
		return fmt.Sprintf("%s: %s (%v)", e.Code, e.Detail, e.Faults)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Detail)
}

// New returns an error. The client sees its detail.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid returns an error with faults: InvalidInput for violations of the contract, RuleViolated for violations of the
// account's rules. Its detail has the first fault, because many programs show only that.
func Invalid(code Code, faults ...Fault) *Error {
	return &Error{Code: code, Detail: Faults(faults).summary(), Faults: faults}
}

// Of returns the Error in err's chain, or nil if there is none: err is internal then.
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}

// Is reports whether err's chain has an Error with the code.
func Is(err error, code Code) bool {
	e := Of(err)
	return e != nil && e.Code == code
}
