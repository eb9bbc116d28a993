package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/standardwebhooks"
)

// receivers are the examples' receivers of hooks: each starts one for a hook's secret, at a port.
var receivers = map[string]func(t *testing.T, secret, port string) <-chan json.RawMessage{
	"Node.js": func(t *testing.T, secret, port string) <-chan json.RawMessage {
		return example(t, "receivers/receiver.mjs", secret, port)
	},
	"Node.js, fetch": func(t *testing.T, secret, port string) <-chan json.RawMessage {
		return example(t, "receivers/fetch.mjs", secret, port)
	},
	"Go": func(t *testing.T, secret, port string) <-chan json.RawMessage {
		return example(t, "receivers/go", secret, port)
	},
	"Python": func(t *testing.T, secret, port string) <-chan json.RawMessage {
		return example(t, "receivers/receiver.py", secret, port)
	},
}

func TestClients_ReceiversVerifyAndDeduplicateHooks(t *testing.T) {
	t.Parallel()
	for name, start := range receivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receiverVerifiesAndDeduplicates(t, start)
		})
	}
}

func receiverVerifiesAndDeduplicates(t *testing.T,
	start func(t *testing.T, secret, port string) <-chan json.RawMessage) {
	t.Helper()
	n := nodetest.Start(t)
	hook := n.Call(http.MethodPost, "/api/v1/hooks",
		`{"url":"https://example.com/","events":["item.created","item.updated","item.deleted"]}`).
		WantStatus(t, http.StatusCreated)
	lines := start(t, hook.Field(t, "secret"), "0")
	type printed struct {
		Listening int
		Event, ID string
		Task      string
		Revision  int64
		Item      json.RawMessage
		Repeated  string
		Refused   string
	}
	heard := func() (s printed) {
		t.Helper()
		if err := json.Unmarshal(nodetest.Next(t, lines), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/", heard().Listening)
	n.Call(http.MethodPatch, "/api/v1/hooks/"+hook.Field(t, "id"), `{"url":"`+url+`"}`).WantStatus(t, http.StatusOK)
	made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Der müde Tod ☠ \u2028"}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPatch, "/api/v1/items/"+made.Field(t, "id"), `{"tags":["silent"]}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodDelete, "/api/v1/items/"+made.Field(t, "id"), "").WantStatus(t, http.StatusNoContent)
	for i, event := range []string{"item.created", "item.updated", "item.deleted"} {
		if got := heard(); got.Event != event || got.Refused != "" || i < 2 && got.Revision != int64(i+1) ||
			!strings.Contains(string(got.Item), `"Der müde Tod ☠`) {
			t.Errorf("%s: got %+v %s", event, got, got.Item)
		}
	}

	secret, err := standardwebhooks.ParseSecret(hook.Field(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	other, body, now := standardwebhooks.NewSecret(), `{"revision":9}`, time.Now()
	sign := func(at time.Time, secrets ...standardwebhooks.Secret) string {
		return standardwebhooks.Sign("an id", at, []byte(body), secrets...)
	}
	repeated := 0
	for name, c := range map[string]struct {
		body, signature string
		at              time.Time
		refused         string
	}{
		"signed":               {body, sign(now, secret), now, ""},
		"amid a rotation":      {body, sign(now, other, secret), now, ""},
		"amid another":         {body, sign(now, secret, other), now, ""},
		"by another secret":    {body, sign(now, other), now, "No matching signature found"},
		"tampered with":        {`{"revision":8}`, sign(now, secret), now, "No matching signature found"},
		"of another time":      {body, sign(now, secret), now.Add(-time.Minute), "No matching signature found"},
		"of ten minutes ago":   {body, sign(now.Add(-10*time.Minute), secret), now.Add(-10 * time.Minute), "Message timestamp too old"},
		"of ten minutes ahead": {body, sign(now.Add(10*time.Minute), secret), now.Add(10 * time.Minute), "Message timestamp too new"},
	} {
		answered := nodetest.SendWebhook(t, url, c.body, c.signature, c.at).Status
		got := heard()
		if got.Repeated != "" {
			repeated++
		}
		if got.Refused != c.refused || (answered == http.StatusNoContent) != (c.refused == "") {
			t.Errorf("%s: status %d, %+v", name, answered, got)
		}
	}
	task := standardwebhooks.Sign("a task", now, []byte(body), secret)
	nodetest.SendWebhook(t, url, body, task, now, "webhook-id", "a task", "itemcast-task", "notify")
	if got := heard(); got.ID != "a task" || got.Task != "notify" {
		t.Errorf("a task: %+v", got)
	}
	if repeated != 2 { // two of the three signed requests with the same id
		t.Errorf("%d requests were repetitions, want 2", repeated)
	}
}
