package graph

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// renewEvery is how late an open WebSocket learns that its user may do less than before.
const renewEvery = time.Second

// session is who uses a WebSocket. Permissions are those of now: its credentials are verified again for every operation, and once a second
// for what it is being told meanwhile, at the cost of a look-up in what is remembered of them.
type session struct {
	signIn        func(ctx context.Context, authorization string) (context.Context, error)
	authorization string // the handshake's, unless connection_init brings its own
	conn          *wsConn
}

type sessionKey struct{}

func sessionFrom(ctx context.Context) *session {
	s, _ := ctx.Value(sessionKey{}).(*session)
	return s
}

// begin answers connection_init. Nobody gets further without credentials, not even to have a query parsed.
func (s *session) begin(ctx context.Context, payload transport.InitPayload) (context.Context, error) {
	if given := payload.Authorization(); given != "" {
		s.authorization = given
	}
	signedIn, actor, err := s.verify(ctx)
	if err != nil {
		code, reason := closeForbidden, "Forbidden"
		if problem.MayPass(err) { // clients come again, with their cursor
			code, reason = closeTryAgainLater, "Try again later"
		}
		return transport.WithWebsocketCloseCode(transport.AppendCloseReason(ctx, reason), code), errors.New(reason)
	}
	go s.watch(context.WithoutCancel(ctx), actor)
	return signedIn, nil
}

func (s *session) verify(ctx context.Context) (context.Context, account.Actor, error) {
	ctx, err := s.signIn(ctx, s.authorization)
	if err != nil {
		return nil, account.Actor{}, err
	}
	actor, err := account.Authorize(ctx)
	return ctx, actor, err
}

// watch ends the connection when its user may no longer use it, and when the user's permissions have changed: the client connects again and
// resumes by its cursor, with those of now.
func (s *session) watch(ctx context.Context, before account.Actor) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.conn.ctx.Done():
			return
		case <-tick.C:
		}
		_, actor, err := s.verify(ctx)
		switch {
		case err != nil && problem.MayPass(err):
		case err != nil:
			_ = s.conn.WriteClose(closeForbidden, "Forbidden")
			return
		case !reflect.DeepEqual(actor, before):
			_ = s.conn.WriteClose(closeGoingAway, "Permissions have changed")
			return
		}
	}
}

// aroundOperation has each operation of a WebSocket act as its user is now.
func aroundOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	s := sessionFrom(ctx)
	if s == nil {
		return next(ctx)
	}
	renewed, _, err := s.verify(ctx)
	if err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{present(ctx, err)}})
	}
	return next(renewed)
}
