package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"itemcast/internal/standardwebhooks"
)

// freePort is one that nobody uses just now.
func freePort(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	_, port, err := net.SplitHostPort(free.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// send posts a message as a hook would, signed for a moment.
func send(t *testing.T, url, body, signature string, at time.Time, header ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Webhook-Id", "an id")
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("Webhook-Signature", signature)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return answer{status: response.StatusCode, header: response.Header}
}

func TestClients_HooksAreVerifiedByThePublicLibrary(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	port := freePort(t)
	url := "http://127.0.0.1:" + port + "/"
	hook := n.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created","item.updated","item.deleted"]}`).expect(t, http.StatusCreated)
	lines := client(t, "verify.mjs", port, hook.field(t, "secret"))
	type told struct {
		Listening int
		Event, ID string
		Revision  int64
		Item      json.RawMessage
		Refused   string
	}
	heard := func() (s told) {
		t.Helper()
		if err := json.Unmarshal(next(t, lines), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if heard().Listening == 0 {
		t.Fatal("the client does not listen")
	}
	made := n.call(http.MethodPost, "/api/v1/items", `{"name":"Der müde Tod ☠ \u2028"}`).expect(t, http.StatusCreated)
	n.call(http.MethodPatch, "/api/v1/items/"+made.field(t, "id"), `{"tags":["silent"]}`).expect(t, http.StatusOK)
	n.call(http.MethodDelete, "/api/v1/items/"+made.field(t, "id"), "").expect(t, http.StatusNoContent)
	for i, event := range []string{"item.created", "item.updated", "item.deleted"} {
		if got := heard(); got.Event != event || got.Refused != "" || i < 2 && got.Revision != int64(i+1) || !strings.Contains(string(got.Item), `"Der müde Tod ☠`) {
			t.Errorf("%s: got %+v %s", event, got, got.Item)
		}
	}

	secret, err := standardwebhooks.ParseSecret(hook.field(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	other, body, now := standardwebhooks.NewSecret(), `{"revision":9}`, time.Now()
	sign := func(at time.Time, secrets ...standardwebhooks.Secret) string {
		return standardwebhooks.Sign("an id", at, []byte(body), secrets...)
	}
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
		answered := send(t, url, c.body, c.signature, c.at).status
		if got := heard(); got.Refused != c.refused || (answered == http.StatusNoContent) != (c.refused == "") {
			t.Errorf("%s: answered %d, %s", name, answered, fmt.Sprintf("%+v", got))
		}
	}
}
