package transport

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/graph/jsoninput"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// readParams reads the parameters from a POST's body, or from a GET's URL: an EventSource can only GET, and urql sends
// short queries by GET.
func readParams(w http.ResponseWriter, r *http.Request) ([]byte, *problem.Error) {
	switch r.Method {
	case http.MethodPost:
		if !isJSON(r.Header.Get("Content-Type")) {
			return nil, problem.New(problem.UnsupportedMediaType, "Send the request as %s in UTF-8.", plainJSON)
		}
		return readBody(w, r)
	case http.MethodGet:
		return urlParams(r.URL.Query())
	}
	w.Header().Set("Allow", "GET, POST")
	return nil, problem.New(problem.MethodNotAllowed,
		"Send operations by POST; queries and subscriptions may also come by GET.")
}

// refuseMutationByGet keeps GET safe (RFC 9110 §9.2.1). A page of any origin can make a browser send a GET with our
// cookies.
func refuseMutationByGet(r *http.Request, op *graphql.OperationContext) *problem.Error {
	if r.Method != http.MethodGet || op.Operation.Operation != ast.Mutation {
		return nil
	}
	return problem.New(problem.MethodNotAllowed, "Send mutations by POST; a GET must not change anything.")
}

func urlParams(query url.Values) ([]byte, *problem.Error) {
	request := map[string]any{}
	for name := range query {
		switch value := query.Get(name); name {
		case "query", "operationName":
			request[name] = value
		case "variables", "extensions":
			if value == "" {
				continue
			}
			if !json.Valid([]byte(value)) {
				return nil, problem.New(problem.BadRequest, "The parameter %s must be a JSON object.", name)
			}
			request[name] = json.RawMessage(value)
		}
	}
	raw, err := plainjson.Marshal(request)
	if err != nil || len(raw) > maxBody {
		return nil, problem.New(problem.BadRequest, "The parameters are not a GraphQL request.")
	}
	return raw, nil
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
		return nil, problem.New(problem.BadRequest, "The request did not arrive in full. Send it again.")
	}
	return body, nil
}

// createOperation parses and checks an operation. raw holds the parameters as received.
func createOperation(
	ctx context.Context, exec graphql.GraphExecutor, raw []byte, params *graphql.RawParams,
) (*graphql.OperationContext, gqlerror.List) {
	return exec.CreateOperationContext(jsoninput.WithRequest(ctx, raw), params)
}

// decodeParams decodes the parameters of any transport. Numbers in variables retain all digits.
func decodeParams(raw []byte) (*graphql.RawParams, *problem.Error) {
	parsed, fault := strictjson.Parse(raw, strictjson.Limits{})
	if fault != nil {
		return nil, fault
	}
	request, isObject := parsed.(map[string]any)
	params := &graphql.RawParams{}
	if !isObject || !take(request, "query", &params.Query) || !take(request, "operationName", &params.OperationName) ||
		!take(request, "variables", &params.Variables) || !take(request, "extensions", &params.Extensions) {
		return nil, problem.New(problem.BadRequest,
			"The request must be an object with query and operationName (strings), variables and extensions (objects).")
	}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return nil, problem.New(problem.BadRequest, "The request has no query. Send the operation in the member query.")
	}
	return params, nil
}

// take sets to to a member of the request, unless that is null or missing. It reports whether the member has that type.
func take[T any](request map[string]any, name string, to *T) (ok bool) {
	if request[name] == nil {
		return true
	}
	*to, ok = request[name].(T)
	return ok
}
