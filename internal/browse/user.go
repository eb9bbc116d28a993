package browse

import (
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/browse/spec"
)

// user is the user who makes a request.
type user struct {
	account.Actor
	known bool // false when nobody is signed in
}

func userOf(r *http.Request) user {
	actor, known := account.ActorFrom(r.Context())
	return user{actor, known}
}

func (u user) may(op *spec.Operation) bool { return op.May(u.Permissions) }
