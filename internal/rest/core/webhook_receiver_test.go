package core_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"itemcast/internal/item"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/rest/core/internal/oapi"
)

// receivedWebhook is a webhook as the generated code has decoded it.
type receivedWebhook struct {
	operation string
	params    oapi.OnItemCreatedParams
	header    http.Header
	body      []byte
}

// generatedReceiver passes on the webhooks that the code generated from the contract has decoded.
type generatedReceiver chan receivedWebhook

func (g generatedReceiver) take(operation string, w http.ResponseWriter, r *http.Request,
	params oapi.OnItemCreatedParams) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	g <- receivedWebhook{operation, params, r.Header.Clone(), body}
	w.WriteHeader(http.StatusNoContent)
}

func (g generatedReceiver) HandleOnItemCreatedWebhook(w http.ResponseWriter, r *http.Request,
	params oapi.OnItemCreatedParams) {
	g.take("item.created", w, r, params)
}

func (g generatedReceiver) HandleOnItemUpdatedWebhook(w http.ResponseWriter, r *http.Request,
	params oapi.OnItemUpdatedParams) {
	g.take("item.updated", w, r, oapi.OnItemCreatedParams(params))
}

func (g generatedReceiver) HandleOnItemDeletedWebhook(w http.ResponseWriter, r *http.Request,
	params oapi.OnItemDeletedParams) {
	g.take("item.deleted", w, r, oapi.OnItemCreatedParams(params))
}

func (g generatedReceiver) HandleOnItemTriggeredWebhook(w http.ResponseWriter, r *http.Request,
	params oapi.OnItemTriggeredParams) {
	g.take("item.triggered", w, r, oapi.OnItemCreatedParams{
		WebhookID: params.WebhookID, WebhookTimestamp: params.WebhookTimestamp, WebhookSignature: params.WebhookSignature,
		ItemcastEvent: params.ItemcastEvent, ItemcastTrigger: params.ItemcastTrigger,
		ItemcastRevision: params.ItemcastRevision, ItemcastCursor: params.ItemcastCursor,
		ItemcastOccurredAt: params.ItemcastOccurredAt, Traceparent: params.Traceparent,
	})
}

// describedHeaders reads the headers of each event from the served contract.
func describedHeaders(n *nodetest.Node) map[string][]string {
	n.T.Helper()
	var served struct {
		Webhooks map[string]struct {
			Post struct {
				Parameters []struct {
					Ref  string `json:"$ref"`
					Name string
				}
				RequestBody struct{ Content map[string]any }
			}
		}
		Components struct {
			Parameters map[string]struct{ Name, In string }
		}
	}
	raw := n.Call(http.MethodGet, "/api/v1/openapi.json", "").WantStatus(n.T, http.StatusOK).Body
	if err := json.Unmarshal(raw, &served); err != nil {
		n.T.Fatal(err)
	}
	headers := map[string][]string{}
	for event, webhook := range served.Webhooks {
		if webhook.Post.RequestBody.Content["application/json"] == nil {
			n.T.Errorf("%s has no body", event)
		}
		for _, p := range webhook.Post.Parameters {
			if p.Ref != "" {
				p.Name = served.Components.Parameters[p.Ref[strings.LastIndex(p.Ref, "/")+1:]].Name
			}
			headers[event] = append(headers[event], http.CanonicalHeaderKey(p.Name))
		}
	}
	return headers
}

// ofHTTP are the headers of every request.
var ofHTTP = []string{"Accept-Encoding", "Content-Length", "Content-Type", "User-Agent"}

func TestWebhooks_FitAReceiverThatIsGeneratedFromTheContract(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	received := make(generatedReceiver, 100)
	mux := http.NewServeMux()
	refused := func(w http.ResponseWriter, r *http.Request, err error) {
		t.Errorf("refused %v: %v", r.Header, err)
		w.WriteHeader(http.StatusBadRequest)
	}
	handlers := map[string]http.Handler{
		"item.created":   oapi.OnItemCreatedWebhookHandler(received, refused),
		"item.updated":   oapi.OnItemUpdatedWebhookHandler(received, refused),
		"item.deleted":   oapi.OnItemDeletedWebhookHandler(received, refused),
		"item.triggered": oapi.OnItemTriggeredWebhookHandler(received, refused),
	}
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		handlers[r.Header.Get("itemcast-event")].ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	const events = `"events":["item.created","item.updated","item.deleted","item.triggered"]`
	hook := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+server.URL+`",`+events+`}`).
		WantStatus(t, http.StatusCreated)
	verifier, err := standardwebhooks.NewWebhook(hook.Field(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	described := describedHeaders(n)
	if len(described) != 4 {
		t.Fatalf("the contract describes %v", described)
	}
	await := func(event, trigger string, revision int64, body []byte) receivedWebhook {
		t.Helper()
		got := nodetest.Next(t, received)
		if got.operation != event || string(got.params.ItemcastEvent) != event ||
			got.params.ItemcastTrigger != trigger || got.params.ItemcastRevision != revision {
			t.Errorf("%s: got %+v", event, got)
		}
		if err := verifier.Verify(got.body, got.header); err != nil {
			t.Errorf("%s: verify: %v", event, err)
		}
		if off := time.Since(time.Unix(got.params.WebhookTimestamp, 0)); off > time.Minute || off < -time.Minute {
			t.Errorf("%s: the timestamp is off by %s", event, off)
		}
		if body != nil && !bytes.Equal(got.body, body) {
			t.Errorf("%s: got %s, want %s", event, got.body, body)
		}
		for name := range got.header {
			if !slices.Contains(described[event], name) && !slices.Contains(ofHTTP, name) {
				t.Errorf("%s: the contract does not describe %s", event, name)
			}
		}
		for _, name := range described[event] {
			ofTasks := slices.Contains([]string{"Itemcast-Task", "Itemcast-Task-At", "Itemcast-Action"}, name)
			if got.header.Values(name) == nil && !ofTasks && (trigger != "test" || name != "Itemcast-Cursor") {
				t.Errorf("%s: %s is described, and not sent", event, name)
			}
		}
		return got
	}
	made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a","tags":["b"]}`).WantStatus(t, http.StatusCreated)
	path := "/api/v1/items/" + made.Field(t, "id")
	first := await("item.created", "hook", 1, made.Body)
	var document item.Item
	if err := json.Unmarshal(first.body, &document); err != nil || document.Name != "a" {
		t.Errorf("%s, %v", first.body, err)
	}
	patched := n.Call(http.MethodPatch, path, `{"name":"b"}`).WantStatus(t, http.StatusOK)
	await("item.updated", "hook", 2, patched.Body)
	n.Call(http.MethodPost, path+"/trigger-hook", "").WantStatus(t, http.StatusAccepted)
	await("item.triggered", "manual", 2, patched.Body)
	n.Call(http.MethodPost, "/api/v1/hooks/"+hook.Field(t, "id")+"/test",
		`{"item_id":"`+made.Field(t, "id")+`","event":"item.updated"}`).WantStatus(t, http.StatusOK)
	if test := await("item.updated", "test", 2, patched.Body); test.params.ItemcastCursor != nil {
		t.Errorf("a test has the cursor %s", *test.params.ItemcastCursor)
	}
	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)
	last := await("item.deleted", "hook", 3, patched.Body)
	if first.params.WebhookID == last.params.WebhookID || *first.params.ItemcastCursor == *last.params.ItemcastCursor ||
		last.params.ItemcastOccurredAt.Before(*first.params.ItemcastOccurredAt) {
		t.Errorf("first %+v, last %+v", first.params, last.params)
	}
	if trace := strings.Split(*first.params.Traceparent, "-"); len(trace) != 4 ||
		trace[1] != strings.ReplaceAll(first.params.WebhookID.String(), "-", "") {
		t.Errorf("the trace is %v", trace)
	}

	n.Call(http.MethodPatch, "/api/v1/hooks/"+hook.Field(t, "id"), `{"body":"thin"}`).WantStatus(t, http.StatusOK)
	made = n.Call(http.MethodPost, "/api/v1/items", `{"name":"c"}`).WantStatus(t, http.StatusCreated)
	var thin oapi.ThinItem
	if err := json.Unmarshal(await("item.created", "hook", 1, nil).body, &thin); err != nil ||
		thin.ID.String() != made.Field(t, "id") || thin.Revision != 1 ||
		thin.URL != n.URL+"/api/v1/items/"+made.Field(t, "id") {
		t.Errorf("thin: %+v, %v", thin, err)
	}
	// The log can be followed from the receiver's cursor.
	changes := n.Call(http.MethodGet, "/api/v1/changes?after="+*last.params.ItemcastCursor, "").
		WantStatus(t, http.StatusOK)
	if !bytes.Contains(changes.Body, []byte(made.Field(t, "id"))) ||
		bytes.Contains(changes.Body, []byte(document.ID.String())) {
		t.Errorf("after the cursor, got %s", changes.Body)
	}
}
