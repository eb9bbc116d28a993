package node_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"

	"itemcast/internal/node/nodetest"
)

// The same word to people, as two keyboards write it.
const (
	composed   = "café"
	decomposed = "cafe\u0301"
)

func TestComposed_TextIsFoundHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"place","kind":"choice","choices":["`+decomposed+`"]}`).
		WantStatus(t, http.StatusCreated)
	hook, deliveries := nodetest.StartReceiver(t)
	n.Call(http.MethodPost, "/api/v1/hooks",
		`{"url":"`+hook+`","events":["item.created"],"filter":{"tags":["`+decomposed+`"],"metadata":{"place":"`+composed+`"}}}`).
		WantStatus(t, http.StatusCreated)
	cursor := n.Changes("").Cursor

	address := "https://example.com/" + decomposed
	item := n.Call(http.MethodPost, "/api/v1/items", `{"name":"`+decomposed+`","description":"Cafe\u0301",
		"producer":"`+decomposed+`","tags":["`+decomposed+`","`+composed+`"],"metadata":{"place":"`+decomposed+`"},
		"player_url":"`+address+`","client_data":{"`+decomposed+`":"`+decomposed+`"}}`).WantStatus(t, http.StatusCreated)
	for _, text := range []string{
		`"name":"` + composed + `","description":"Café"`, `"producer":"` + composed + `"`, `"tags":["` + composed + `"]`,
		`"place":"` + composed + `"`, `"player_url":"` + address + `"`,
		`"client_data":{"` + decomposed + `":"` + decomposed + `"}`,
	} {
		if !bytes.Contains(item.Body, []byte(text)) {
			t.Errorf("the document lacks %s: %s", text, item.Body)
		}
	}
	if sent := nodetest.Next(t, deliveries); !bytes.Equal(sent.Body, item.Body) {
		t.Errorf("the hook has %s", sent.Body)
	}
	for _, word := range []string{composed, decomposed} {
		q := url.QueryEscape(word)
		for _, path := range []string{
			"items?tags=" + q, "items?search=" + q, "items?metadata.place=" + q, "items/export?tags=" + q,
			"changes?wait=10&after=" + cursor + "&tags=" + q, "changes?wait=10&after=" + cursor + "&metadata.place=" + q,
			"changes?wait=10&after=" + cursor + "&search=" + q,
		} {
			if got := n.Call(http.MethodGet, "/api/v1/"+path, ""); !bytes.Contains(got.Body, item.Body) {
				t.Errorf("%s: not found: %s", path, got.Body)
			}
		}
		found := n.GraphQL(`query($f: ItemFilter) { items(filter: $f) { nodes { name } } }`, map[string]any{"f": map[string]any{
			"search": word, "tags": []string{word}, "metadata": []any{map[string]string{"key": "place", "value": word}}}})
		if !bytes.Contains(found, []byte(composed)) {
			t.Errorf("GraphQL with %q: not found: %s", word, found)
		}
	}
	n.Call(http.MethodPost, "/api/v1/roles", `{"name":"`+composed+`","permissions":[]}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/roles", `{"name":"`+decomposed+`","permissions":[]}`).WantStatus(t, http.StatusConflict)
}

func TestComposed_LimitsCountTheCharactersThatAreStored(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	name := func(length int) string { return `{"name":"` + strings.Repeat("e\u0301", length) + `"}` }
	n.Call(http.MethodPost, "/api/v1/items", name(500)).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/items", name(501)).WantStatus(t, http.StatusBadRequest)
	// U+0958 has no composed form of its own: two characters are stored.
	grown := `{"name":"` + strings.Repeat("\u0958", 251) + `"}`
	n.Call(http.MethodPost, "/api/v1/items", grown).WantStatus(t, http.StatusBadRequest)
}

// An item of an earlier version is composed as one change by the system, when it is read or in the background.
func TestComposed_ItemsOfAnEarlierVersionChangeOnce(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"place","kind":"text"}`).WantStatus(t, http.StatusCreated)
	cursor := n.Changes("").Cursor
	for i := range 3 {
		n.Call(http.MethodPost, "/api/v1/items", fmt.Sprintf(`{"name":"%d %s","tags":["%[2]s"],"metadata":{"place":"%[2]s"}}`,
			i, composed)).WantStatus(t, http.StatusCreated)
	}
	plain := n.Call(http.MethodPost, "/api/v1/items", `{"name":"plain"}`).WantStatus(t, http.StatusCreated)
	if _, err := n.Pool.Exec(t.Context(), `UPDATE item SET document_version = 0, name = normalize(name, NFD),
		tags = ARRAY(SELECT normalize(tag, NFD) FROM unnest(tags) tag) || '{`+composed+`}',
		metadata = normalize(metadata::text, NFD)::jsonb WHERE name <> 'plain'`); err != nil {
		t.Fatal(err)
	}
	cursor = n.AwaitChanges(cursor, 4).Cursor
	list := n.Call(http.MethodGet, "/api/v1/items?sort=name&limit=1", "").Body
	if !bytes.Contains(list, []byte(`"revision":2}`)) || !bytes.Contains(list, []byte(`"tags":["`+composed+`"]`)) {
		t.Errorf("a list shows %s", list)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- n.Items.RunRenewal(ctx) }()
	page := n.AwaitChanges(cursor, 3)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, c := range page.Results {
		if c.Kind != "UPDATED" || strings.Join(c.ChangedFields, " ") != "name tags metadata" ||
			bytes.Contains(c.Document, []byte("\u0301")) {
			t.Errorf("the change is %s of %q: %s", c.Kind, c.ChangedFields, c.Document)
		}
	}
	if tags := n.Call(http.MethodGet, "/api/v1/tags", "").Body; !bytes.Contains(tags,
		[]byte(`[{"name":"`+composed+`","items":3}]`)) {
		t.Errorf("the tags are %s", tags)
	}
	if found := n.Call(http.MethodGet, "/api/v1/items?search="+composed, "").Body; bytes.Count(found, []byte(`"id"`)) != 3 {
		t.Errorf("a search finds %s", found)
	}
	if got := n.Call(http.MethodGet, "/api/v1/items/"+plain.Field(t, "id"), ""); !bytes.Equal(got.Body, plain.Body) {
		t.Errorf("an item without such text changed to %s", got.Body)
	}
	if more := n.Changes("?after=" + page.Cursor); len(more.Results) > 0 {
		t.Errorf("there are %d further changes", len(more.Results))
	}
}

func TestComposed_APasswordWorksHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	role := n.Call(http.MethodPost, "/api/v1/roles", `{"name":"guest","permissions":["api.access"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	secret := func(word string) string { return "un petit " + word }
	n.Call(http.MethodPost, "/api/v1/users",
		`{"email":"new@example.com","role_id":"`+role+`","password":"`+secret(decomposed)+`"}`).
		WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/users",
		`{"email":"old@example.com","role_id":"`+role+`","password":"`+secret(composed)+`"}`).
		WantStatus(t, http.StatusCreated)
	// An earlier version stored the password as it was typed.
	hash, err := argon2id.CreateHash(secret(decomposed), &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 1,
		SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Pool.Exec(t.Context(), "UPDATE app_user SET password_hash = $1 WHERE email = 'old@example.com'",
		hash); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		email, word string
		status      int
	}{
		{"new", composed, http.StatusOK}, {"new", decomposed, http.StatusOK}, {"new", "cafe", http.StatusUnauthorized},
		{"old", decomposed, http.StatusOK}, {"old", composed, http.StatusUnauthorized},
	} {
		got := n.As(c.email+"@example.com", secret(c.word)).Call(http.MethodGet, "/api/v1/me", "")
		if got.Status != c.status {
			t.Errorf("%s with %q: got %d, want %d", c.email, c.word, got.Status, c.status)
		}
	}
}
