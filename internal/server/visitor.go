package server

import (
	"context"
	"net/http"

	"itemcast/internal/problem"
)

// visit returns the context of a request whose user may be nobody: without credentials, or with an ended session, it
// has no actor. Errors: as Admit for wrong credentials.
func (g *Gate) visit(w http.ResponseWriter, r *http.Request) (context.Context, error) {
	admitted, err := g.Admit(w, r)
	if problem.Is(err, problem.Unauthenticated) && r.Header["Authorization"] == nil {
		return r.Context(), nil
	}
	return admitted.Context(), err
}
