package transport

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"itemcast/internal/bearer"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
)

// Refuse answers a request that fails before its operation is read.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.From(err)
	if p.Code == problem.Unauthenticated {
		w.Header().Set("WWW-Authenticate", bearer.Challenge(r.Header))
	}
	if p.Code.IsTemporary() {
		w.Header().Set("Retry-After", p.RetrySeconds())
	}
	w.Header().Set("Cache-Control", "no-store")
	refuse(w, cmp.Or(negotiate(r.Header.Values("Accept")).json, plainJSON), p)
}

func refuse(w http.ResponseWriter, mediaType string, p *problem.Error) {
	e := &gqlerror.Error{Message: p.Detail, Extensions: map[string]any{"code": p.Code}}
	if len(p.Faults) > 0 {
		e.Extensions["errors"] = p.Faults
	}
	respond(w, mediaType, p.Code.Status(), &graphql.Response{Errors: gqlerror.List{e}})
}

func respond(w http.ResponseWriter, mediaType string, status int, response *graphql.Response) {
	body := encode(response)
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// encode writes a response. Its data, which can be large, is copied as it was rendered and not encoded again.
func encode(response *graphql.Response) []byte {
	var out bytes.Buffer
	out.Grow(len(response.Data) + len(`{"data":}`))
	out.WriteByte('{')
	if len(response.Errors) > 0 {
		out.WriteString(`"errors":`)
		out.Write(encodeErrors(response.Errors))
	}
	if len(response.Data) > 0 {
		if len(response.Errors) > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`"data":`)
		out.Write(response.Data)
	}
	if len(response.Extensions) > 0 {
		if raw, err := plainjson.Marshal(response.Extensions); err == nil {
			out.WriteString(`,"extensions":`)
			out.Write(raw)
		}
	}
	out.WriteByte('}')
	return out.Bytes()
}

func encodeErrors(list gqlerror.List) []byte {
	raw, err := plainjson.Marshal(list)
	if err != nil {
		return []byte(`[{"message":"The errors cannot be shown.","extensions":{"code":"INTERNAL"}}]`)
	}
	return raw
}
