package graph_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

const (
	plainType   = "application/json; charset=utf-8"
	graphqlType = "application/graphql-response+json; charset=utf-8"
)

// The statuses and media types of the GraphQL-over-HTTP specification.
func TestGraphQLHTTP_StatusesAreThoseOfTheSpecification(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for name, c := range map[string]struct {
		body          string
		plain, modern int // statuses
	}{
		"data":                      {`{"query":"{ me { id } }"}`, 200, 200},
		"a field's error":           {`{"query":"{ items(first: 0) { nodes { id } } }"}`, 200, 200},
		"no such item":              {`{"query":"{ item(id: \"01890a5d-ac96-774b-bcce-b302099a8057\") { id } }"}`, 200, 200},
		"a parse error":             {`{"query":"{"}`, 200, 400},
		"a validation error":        {`{"query":"{ no }"}`, 200, 400},
		"a variable's error":        {`{"query":"query ($i: ID!) { item(id: $i) { id } }"}`, 200, 400},
		"no such operation":         {`{"query":"query a { me { id } }","operationName":"b"}`, 200, 400},
		"two operations":            {`{"query":"query a { me { id } } query b { me { id } }"}`, 200, 400},
		"a subscription":            {`{"query":"subscription { itemChanges { cursor } }"}`, 400, 400},
		"no JSON":                   {`{"query":`, 400, 400},
		"a NUL":                     {`{"query":"{ me { id } } #\u0000"}`, 400, 400},
		"a batch":                   {`[{"query":"{ me { id } }"}]`, 400, 400},
		"no query":                  {`{"variables":{}}`, 400, 400},
		"an empty query":            {`{"query":""}`, 400, 400},
		"a query that is no text":   {`{"query":7}`, 400, 400},
		"variables that are a list": {`{"query":"{ me { id } }","variables":[]}`, 400, 400},
		"endless variables":         {`{"query":"query ($n: Int) { items(first: $n) { nodes { id } } }","variables":{"n":1e999}}`, 400, 400},
		"deep variables":            {`{"query":"{ me { id } }","variables":{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}}`, 400, 400},
		"huge variables":            {`{"query":"{ me { id } }","variables":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`, 413, 413},
		"a member twice":            {`{"query":"{ me { id } }","query":"{ me { email } }"}`, 400, 400},
		"another spelling":          {`{"Query":"{ me { id } }"}`, 400, 400},
		"invalid UTF-8":             {"{\"query\":\"{ me { id } } #\xff\"}", 400, 400},
	} {
		for accept, want := range map[string]struct {
			status int
			kind   string
		}{
			"application/json":                  {c.plain, plainType},
			"application/graphql-response+json": {c.modern, graphqlType},
			"":                                  {c.plain, plainType},
			"*/*":                               {c.plain, plainType},
			"application/graphql-response+json, application/json;q=0.9":      {c.modern, graphqlType},
			"application/graphql-response+json;q=0.5, application/json":      {c.plain, plainType},
			"application/json, application/graphql-response+json":            {c.modern, graphqlType},
			"application/graphql-response+json; charset=utf-8, */*;q=0.1, x": {c.modern, graphqlType},
		} {
			got := n.Call(http.MethodPost, "/graphql", c.body, "Accept", accept)
			if got.Status != want.status || got.Header.Get("Content-Type") != want.kind {
				t.Errorf("%s, Accept %q: got %d %s, want %d %s: %.300s", name, accept, got.Status, got.Header.Get("Content-Type"),
					want.status, want.kind, got.Body)
			}
			if _, codes := got.GraphQL(t); (len(codes) > 0) != (name != "data" && name != "no such item") {
				t.Errorf("%s: %q", name, codes)
			}
		}
	}
}

func TestGraphQLHTTP_InvalidRequestsAreRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.WantNoWrites(func() {
		const mutation = `{"query":"mutation { createItem(input: {name: \"a\"}) { item { id } } }"}`
		for _, contentType := range []string{"", "text/plain", "application/graphql", "application/x-www-form-urlencoded",
			"multipart/form-data; boundary=x", "application/json; charset=utf-16", ";"} {
			got := n.Call(http.MethodPost, "/graphql", mutation, "Content-Type", contentType).
				WantStatus(t, http.StatusUnsupportedMediaType)
			if _, codes := got.GraphQL(t); len(codes) != 1 || codes[0] != "UNSUPPORTED_MEDIA_TYPE" {
				t.Errorf("%s: %s", contentType, got.Body)
			}
		}
		got := n.Call(http.MethodGet, "/graphql?query=mutation%7BcreateItem(input:%7Bname:%22a%22%7D)%7Bitem%7Bid%7D%7D%7D",
			"", "Accept", "application/json").WantStatus(t, http.StatusMethodNotAllowed)
		if _, codes := got.GraphQL(t); got.Header.Get("Allow") != "POST" || codes[0] != "METHOD_NOT_ALLOWED" {
			t.Errorf("GET: %s %s", got.Header.Get("Allow"), got.Body)
		}
		got = n.Call(http.MethodOptions, "/graphql", "", "Authorization", "").WantStatus(t, http.StatusNoContent)
		if got.Header.Get("Allow") != "GET, POST, OPTIONS" {
			t.Errorf("OPTIONS: %v", got.Header)
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
			n.Call(method, "/graphql", mutation, "Content-Type", "application/json").WantStatus(t, http.StatusMethodNotAllowed)
		}
		for _, accept := range []string{"text/plain", "application/json;q=0", "image/*"} {
			got := n.Call(http.MethodPost, "/graphql", mutation, "Accept", accept).WantStatus(t, http.StatusNotAcceptable)
			if _, codes := got.GraphQL(t); codes[0] != "NOT_ACCEPTABLE" {
				t.Errorf("Accept %s: %s", accept, got.Body)
			}
		}
		got = n.Call(http.MethodPost, "/graphql", mutation, "Authorization", "").WantStatus(t, http.StatusUnauthorized)
		if _, codes := got.GraphQL(t); codes[0] != "UNAUTHENTICATED" || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("no credentials: %s", got.Body)
		}
	})
}

// Payloads are non-null, so the error of one reaches data (GraphQL §6.4.4, Handling Execution Errors).
func TestGraphQLHTTP_AFailedMutationStopsNoOtherAndLeavesNoData(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	got := n.Call(http.MethodPost, "/graphql", `{"query":"mutation { a: createItem(input: {name: \"a\"}) { item { id } } `+
		`b: createItem(input: {name: \" \"}) { item { id } } c: createItem(input: {name: \"c\"}) { item { id } } }"}`).
		WantStatus(t, http.StatusOK)
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Path []string }
	}
	if err := json.Unmarshal(got.Body, &answer); err != nil {
		t.Fatal(err)
	}
	if string(answer.Data) != "null" || len(answer.Errors) != 1 || !slices.Equal(answer.Errors[0].Path, []string{"b"}) {
		t.Errorf("got %s", got.Body)
	}
	if items := nodetest.CountItems(t, n.Pool); items != 2 {
		t.Errorf("%d items were made, want 2", items)
	}
}

// urql sends queries by GET by default, and accepts event streams among other types.
func TestGraphQLHTTP_AGetReadsAndChangesNothing(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const everything = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
	get := func(query, accept string) nodetest.Response {
		t.Helper()
		return n.Call(http.MethodGet, "/graphql?"+query, "", "Accept", accept)
	}
	for accept, kind := range map[string]string{
		everything: graphqlType, "application/json": plainType, "*/*": plainType,
		"application/json;q=0.5, text/event-stream": "text/event-stream", "text/event-stream": "text/event-stream",
	} {
		got := get(url.Values{"query": {"query ($n: Int!) { items(first: $n) { totalCount } }"},
			"variables": {`{"n":1}`}}.Encode(), accept).WantStatus(t, http.StatusOK)
		if got.Header.Get("Content-Type") != kind || got.Header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(string(got.Body), `{"data":{"items":{"totalCount":0}}}`) {
			t.Errorf("%s: %v %s", accept, got.Header, got.Body)
		}
	}
	n.WantNoWrites(func() {
		mutation := url.Values{"query": {`mutation { createItem(input: {name: "a"}) { item { id } } }`}}.Encode()
		got := get(mutation, everything).WantStatus(t, http.StatusMethodNotAllowed)
		if _, codes := got.GraphQL(t); got.Header.Get("Allow") != "POST" || codes[0] != "METHOD_NOT_ALLOWED" {
			t.Errorf("%s %s", got.Header.Get("Allow"), got.Body)
		}
		if got := get(mutation, "text/event-stream").
			WantStatus(t, http.StatusOK); !strings.Contains(string(got.Body), `"METHOD_NOT_ALLOWED"`) {
			t.Errorf("as a stream: %s", got.Body)
		}
	})
	for _, query := range []string{"", "query=", "query=%7Bme%7Bid%7D%7D&variables=x",
		"query=%7Bme%7Bid%7D%7D&variables=[]"} {
		if _, codes := get(query, everything).WantStatus(t, http.StatusBadRequest).GraphQL(t); len(codes) != 1 ||
			codes[0] != "BAD_REQUEST" {
			t.Errorf("%s: %q", query, codes)
		}
	}
	subscription := url.Values{"query": {"subscription { itemChanges { cursor } }"}}.Encode()
	get(subscription, "application/json").WantStatus(t, http.StatusBadRequest)
	n.Stream(http.MethodGet, "/graphql?"+subscription, "", "Accept", everything).Begin()
}

// Automatic persisted queries, as Apollo's clients use them: a hash alone, then the text with it, then the hash alone
// again.
func TestGraphQLHTTP_PersistedQueriesAreStoredByTheirHash(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const query = `{ me { email } }`
	sum := sha256.Sum256([]byte(query))
	send := func(query, hash string, version any) (nodetest.Response, []string) {
		request := map[string]any{"extensions": map[string]any{
			"persistedQuery": map[string]any{"version": version, "sha256Hash": hash}}}
		if query != "" {
			request["query"] = query
		}
		body, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		got := n.Call(http.MethodPost, "/graphql", string(body), "Accept", "application/json")
		_, codes := got.GraphQL(t)
		return got, codes
	}
	hash := hex.EncodeToString(sum[:])
	got, codes := send("", hash, 1)
	if len(codes) != 1 || codes[0] != "PERSISTED_QUERY_NOT_FOUND" ||
		!strings.Contains(string(got.Body), `"message":"PersistedQueryNotFound"`) || got.Status != http.StatusOK {
		t.Errorf("a miss: %d %s", got.Status, got.Body)
	}
	for name, c := range map[string]struct {
		hash    string
		version any
	}{"a wrong hash": {strings.Repeat("0", 64), 1}, "another version": {hash, 2}, "no version": {hash, "x"}} {
		if got, codes := send(query, c.hash, c.version); !slices.Equal(codes, []string{"BAD_REQUEST"}) {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	for _, query := range []string{query, ""} {
		if got, codes := send(query, hash, 1); len(codes) != 0 || !strings.Contains(string(got.Body), nodetest.AdminEmail) {
			t.Errorf("with its hash: %s", got.Body)
		}
	}
}
