package workflow

import (
	"context"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

// ErrNoUploadSecret is the error for signing a ticket of a profile without an upload secret.
var ErrNoUploadSecret = problem.New(problem.Conflict,
	"The profile has no upload secret. Make one with rotate-secret, then sign tickets with it.")

// SignTicket signs a ticket of a profile, as a server that has the profile's upload secret would, so that a page can
// show examples that work. Needs workflows.manage, as RotateSecret does. Errors: NOT_FOUND; ErrNoUploadSecret.
func (s *Service) SignTicket(ctx context.Context, claims ticket.Claims) (info, signature string, err error) {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return "", "", err
	}
	terms, err := s.UploadTerms(ctx, claims.Profile)
	switch {
	case err != nil:
		return "", "", err
	case terms.Account != actor.AccountID:
		return "", "", errNoProfile
	case terms.Secret == "":
		return "", "", ErrNoUploadSecret
	}
	return claims.Sign(terms.Secret)
}
