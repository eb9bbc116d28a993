package contract_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"log/slog"

	"itemcast/internal/contract"
	"itemcast/internal/contract/contracttest"
	"itemcast/internal/problem"
)

// things is a document that has each kind of parameter and body once.
const things = `
openapi: 3.1.0
info: { title: Test, version: "1" }
servers: [{ url: /api/t }]
paths:
  /things:
    get:
      operationId: listThings
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 200 } }
        - { name: sort, in: query, schema: { type: string, enum: [name, -name] } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
        - { name: count, in: query, schema: { type: boolean } }
        - { name: ratio, in: query, schema: { type: number, maximum: 1.5 } }
        - { name: search, in: query, schema: { type: string, minLength: 1, maxLength: 10 } }
        - { name: tags, in: query, schema: { type: array, maxItems: 3, items: { type: string, minLength: 1, maxLength: 5 } } }
        - { name: kind, in: query, schema: { type: array, items: { $ref: "#/components/schemas/Kind" } } }
        - { name: metadata.KEY, in: query, x-prefix: metadata., schema: { type: string, maxLength: 5 } }
        - { name: metadata, in: query, style: deepObject, explode: true, x-same-as: metadata., schema: { type: object } }
        - { name: If-None-Match, in: header, schema: { type: string, maxLength: 10 } }
      responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } }
    post:
      operationId: createThing
      parameters:
        - { name: Idempotency-Key, in: header, schema: { type: string, minLength: 1, maxLength: 10 } }
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Thing" } }
      responses: { "201": { description: ok, content: { application/json: { schema: { type: object } } } } }
  /things/checked:
    post:
      operationId: checkThing
      parameters:
        - { name: Idempotency-Key, in: header, schema: { type: string, minLength: 1, maxLength: 10 } }
      requestBody:
        required: true
        x-checked-with-rules: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Thing" } }
      responses: { "201": { description: ok, content: { application/json: { schema: { type: object } } } } }
  /things/import:
    post:
      operationId: importThings
      requestBody: { required: true, content: { application/x-ndjson: { schema: { type: string } } } }
      responses: { "204": { description: ok } }
  /things/{id}:
    parameters:
      - $ref: "#/components/parameters/ID"
    get:
      operationId: getThing
      responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } }
    patch:
      operationId: patchThing
      requestBody:
        content:
          application/merge-patch+json: { schema: { $ref: "#/components/schemas/Thing" } }
          application/json: { schema: { $ref: "#/components/schemas/Thing" } }
      responses: { "204": { description: ok } }
    post:
      operationId: pokeThing
      responses: { "204": { description: ok } }
components:
  parameters:
    ID: { name: id, in: path, required: true, schema: { type: string, format: uuid, x-go-name: ID } }
  schemas:
    Local: { type: object, properties: { thing: { $ref: "#/components/schemas/Thing" } } }
    Kind: { type: string, enum: [video, audio] }
    Part: { type: object, additionalProperties: false, required: [url], properties: { url: { type: string, format: uri }, size: { type: [integer, "null"], minimum: 0 } } }
    Thing:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: { type: string, minLength: 1, maxLength: 5 }
        zone: { enum: [north, south, null] }
        kind: { $ref: "#/components/schemas/Kind", description: What it is. }
        count: { type: integer, format: int32 }
        total: { type: integer }
        ratio: { type: [number, "null"], minimum: 0, maximum: 1.5 }
        on: { type: boolean }
        id: { type: [string, "null"], format: uuid }
        at: { type: string, format: date-time }
        day: { type: string, format: date }
        language: { type: string, pattern: "^[a-z]+$", x-pattern-detail: must be lower-case letters }
        tags: { type: array, maxItems: 3, uniqueItems: true, items: { type: string, minLength: 1 } }
        parts: { type: array, items: { $ref: "#/components/schemas/Part" } }
        metadata: { type: object, maxProperties: 2, additionalProperties: { type: [string, number, boolean, "null"] } }
        free: { type: object, additionalProperties: true }
        either: { anyOf: [{ $ref: "#/components/schemas/Part" }, { type: "null" }] }
`

var problems = contract.NewProblems(slog.New(slog.DiscardHandler))

const id = "01890a5d-ac96-774b-bcce-b302099a8057"

// setup returns a server behind the contract, whose handlers echo the body and, in the header Query, the query that
// reached them.
func setup(t testing.TB) http.Handler {
	t.Helper()
	document := contracttest.Document(t, []byte(things))
	mux := http.NewServeMux()
	guard := document.Guard(mux, contract.Options{BodyLimit: 100_000, Problems: problems})
	for _, pattern := range []string{
		"GET /api/t/things", "POST /api/t/things", "POST /api/t/things/import", "POST /api/t/things/checked",
		"GET /api/t/things/{id}", "PATCH /api/t/things/{id}", "POST /api/t/things/{id}",
	} {
		guard.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Query", r.URL.RawQuery)
			_, _ = io.Copy(w, r.Body)
		})
	}
	mux.Handle("/api/", problems.NotFound(mux))
	return problems.Recover(guard)
}

type answer struct {
	*httptest.ResponseRecorder
	Type   string          `json:"type"`
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Code   problem.Code    `json:"code"`
	Detail string          `json:"detail"`
	Errors []problem.Fault `json:"errors"`
}

// ask sends a request; headers are "Name: value".
func ask(t testing.TB, server http.Handler, method, target, body string, headers ...string) answer {
	t.Helper()
	request := httptest.NewRequest(method, "/", strings.NewReader(body))
	if body == "" {
		request.Body, request.ContentLength = http.NoBody, 0
	}
	// Clients can send targets for which NewRequest panics.
	request.URL.Path, request.URL.RawQuery, _ = strings.Cut(target, "?")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header[http.CanonicalHeaderKey(name)] = append(request.Header[http.CanonicalHeaderKey(name)], value)
	}
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	server.ServeHTTP(a.ResponseRecorder, request)
	if a.ResponseRecorder.Code < 400 {
		return a
	}
	if got := a.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("a failure has the type %q: %s", got, a.Body)
	}
	if err := json.Unmarshal(a.Body.Bytes(), &a); err != nil {
		t.Fatalf("read the problem %q: %v", a.Body, err)
	}
	if a.Status != a.ResponseRecorder.Code || a.Type != "about:blank" || a.Title == "" || a.Code.Status() != a.Status {
		t.Errorf("not a complete problem: %s", a.Body)
	}
	return a
}

// faults returns an answer's faults, one a line.
func (a answer) faults() string {
	var b strings.Builder
	for _, fault := range a.Errors {
		b.WriteString(fault.Pointer + fault.Parameter + " " + fault.Detail + "\n")
	}
	return b.String()
}
