package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/internal/eventstream"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

const (
	graphqlJSON = "application/graphql-response+json"
	plainJSON   = "application/json"
)

// post is the HTTP transport, by the letter of the GraphQL-over-HTTP specification (GraphQL Foundation, working draft of 2025): gqlgen's
// own differs in statuses. A well-formed request gets 200 when the client takes application/json only; with
// application/graphql-response+json, a request error is 4xx.
type post struct{}

var _ graphql.Transport = post{}

// Supports takes every request that is left, and answers those that cannot be served with what to do.
func (post) Supports(*http.Request) bool { return true }

func (t post) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	accepted, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		refuse(w, plainJSON, problem.New(problem.NotAcceptable, "Accept %s or %s.", graphqlJSON, plainJSON))
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		refuse(w, accepted, problem.New(problem.MethodNotAllowed, "Send operations by POST; a browser gets the playground with GET."))
		return
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		refuse(w, accepted, problem.New(problem.UnsupportedMediaType, "Send the request as %s in UTF-8.", plainJSON))
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		refuse(w, accepted, err)
		return
	}
	params, err := decodeParams(body)
	if err != nil {
		refuse(w, accepted, err)
		return
	}
	params.Headers = r.Header

	ctx := r.Context()
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		status := http.StatusOK
		if accepted == graphqlJSON {
			status = http.StatusBadRequest
		}
		respond(w, accepted, status, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	if op.Operation.Operation == ast.Subscription {
		refuse(w, accepted, problem.New(problem.BadRequest,
			"Subscribe over a WebSocket with the protocol graphql-transport-ws, or with Accept: %s.", eventstream.ContentType))
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	respond(w, accepted, http.StatusOK, responses(ctx))
}

func isJSON(contentType string) bool {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == plainJSON && strings.EqualFold(cmp.Or(parameters["charset"], "utf-8"), "utf-8")
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *problem.Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, problem.New(problem.TooLarge, "The request is larger than 1 MiB; use variables and smaller pages.")
	}
	if err != nil {
		return nil, problem.New(problem.BadRequest, "The request could not be read.")
	}
	return body, nil
}

// decodeParams reads a request's parameters, in the form that all transports share. Variables keep the digits of their numbers.
func decodeParams(raw []byte) (*graphql.RawParams, *problem.Error) {
	if err := strictjson.Check(raw, strictjson.Limits{}); err != nil {
		return nil, err
	}
	var request struct {
		Query         *string         `json:"query"`
		OperationName *string         `json:"operationName"`
		Variables     *map[string]any `json:"variables"`
		Extensions    *map[string]any `json:"extensions"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&request); err != nil {
		return nil, problem.New(problem.BadRequest, "The request must be an object of query and operationName (text), variables and extensions (objects).")
	}
	params := &graphql.RawParams{Query: orZero(request.Query), OperationName: orZero(request.OperationName),
		Variables: orZero(request.Variables), Extensions: orZero(request.Extensions)}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return nil, problem.New(problem.BadRequest, "The request has no query.")
	}
	return params, nil
}

// negotiate chooses the response's media type: what the client prefers of the two, the newer one when it names both alike, and the older
// one when it names neither, as the specification asks for the sake of old clients.
func negotiate(accept []string) (mediaType string, ok bool) {
	if len(accept) == 0 {
		return plainJSON, true
	}
	best, bestQ := "", 0.0
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		mediaType, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, given := parameters["q"]; given {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		switch mediaType {
		case "*/*", "application/*":
			mediaType = plainJSON
		case graphqlJSON, plainJSON:
		default:
			continue
		}
		if q > bestQ || q == bestQ && q > 0 && mediaType == graphqlJSON {
			best, bestQ = mediaType, q
		}
	}
	return best, best != ""
}

// Refuse answers a request that does not get as far as its operation with what err is to the user.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	accepted, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		accepted = plainJSON
	}
	p := problem.From(err)
	switch p.Code {
	case problem.Unauthenticated:
		w.Header().Set("WWW-Authenticate", `Basic realm="Itemcast", charset="UTF-8"`)
	case problem.Unavailable, problem.TooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Cache-Control", "no-store")
	refuse(w, accepted, p)
}

func refuse(w http.ResponseWriter, accepted string, p *problem.Error) {
	e := &gqlerror.Error{Message: p.Detail, Extensions: map[string]any{"code": p.Code}}
	if len(p.Faults) > 0 {
		e.Extensions["errors"] = p.Faults
	}
	respond(w, accepted, p.Code.Status(), &graphql.Response{Errors: gqlerror.List{e}})
}

func respond(w http.ResponseWriter, mediaType string, status int, response *graphql.Response) {
	body := encode(response)
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
