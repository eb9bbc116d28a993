// Package revision makes a write depend on the revision that its client has read, so that a client cannot overwrite a
// change that it has not seen. In REST the condition is the header If-Match, in GraphQL the argument ifRevision.
//
// A resource has revision 1 when it is created, and each change adds 1. The ETag is the quoted number. If the bytes of
// a revision were written anew, such as by a new release, the number of that rendering follows a dot. A write does not
// depend on it. The package must not know any resource.
package revision

import (
	"slices"
	"strconv"

	"itemcast/internal/problem"
)

// Condition is the precondition of a write: the resource has one of these revisions. A nil Condition always holds.
type Condition []tag

type tag struct {
	revision int64
	weak     bool // from a weak ETag, which never matches (RFC 9110 §13.1.1)
}

// Is returns the condition that a resource has one of the revisions.
func Is(expected ...int64) Condition {
	c := Condition{}
	for _, revision := range expected {
		c = append(c, tag{revision: revision})
	}
	return c
}

// IfGiven returns the condition that a resource has the revision, or no condition for nil.
func IfGiven(expected *int64) Condition {
	if expected == nil {
		return nil
	}
	return Is(*expected)
}

// Check returns REVISION_MISMATCH, with the current revision, unless that meets the condition.
func (c Condition) Check(current int64) error {
	if c == nil || slices.Contains(c, tag{revision: current}) {
		return nil
	}
	mismatch := problem.New(problem.RevisionMismatch,
		"The current revision is %d. Read it, and decide whether your change still applies.", current)
	if slices.Contains(c, tag{revision: current, weak: true}) {
		mismatch = problem.New(problem.RevisionMismatch,
			"If-Match takes the strong ETag that GET returns: %s. Remove the prefix W/, which a proxy may have added.",
			ETag(current))
	}
	mismatch.Revision = current
	return mismatch
}

// ETag returns the strong entity tag of a revision.
func ETag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// RenderingETag returns the strong entity tag of a rendering of a revision. The first one is 0.
func RenderingETag(revision int64, rendering int32) string {
	if rendering == 0 {
		return ETag(revision)
	}
	return `"` + strconv.FormatInt(revision, 10) + "." + strconv.FormatInt(int64(rendering), 10) + `"`
}
