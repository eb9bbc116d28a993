package core_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A generator reads the document from a file, and its client must still find the server.
func TestContract_NamesItsServerByAnAbsoluteURL(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	var document struct{ Servers []struct{ URL string } }
	asJSON := n.Call(http.MethodGet, "/api/v1/openapi.json", "", "Authorization", "").WantStatus(t, http.StatusOK)
	if err := json.Unmarshal(asJSON.Body, &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Servers) != 1 || document.Servers[0].URL != n.URL+"/api/v1" {
		t.Errorf("openapi.json has the servers %v", document.Servers)
	}
	asYAML := n.Call(http.MethodGet, "/api/v1/openapi.yaml", "", "Authorization", "").WantStatus(t, http.StatusOK)
	if want := "\nservers:\n  - url: " + n.URL + "/api/v1\n"; !strings.Contains(string(asYAML.Body), want) {
		t.Errorf("openapi.yaml lacks %q", want)
	}
}

// Java's HttpURLConnection and the fetch of browsers get JSON, and a browser that opens the address gets the page.
func TestAccept_OnlyBrowsersGetThePage(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct{ accept, mode, want string }{
		{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "", "application/json"},
		{"*/*", "cors", "application/json"},
		{"*/*", "", "application/json"},
		{browser, "", "text/html"},
		{browser, "navigate", "text/html"},
		{"*/*", "navigate", "text/html"}, // an extension has changed the header
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", n.Authorization)
		request.Header.Set("Accept", c.accept)
		if c.mode != "" {
			request.Header.Set("Sec-Fetch-Mode", c.mode)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		got, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
		vary := strings.Join(response.Header.Values("Vary"), ", ")
		if got != c.want || vary != "Origin, Accept, Sec-Fetch-Mode" {
			t.Errorf("Accept %q, mode %q: got %d %s, Vary %q",
				c.accept, c.mode, response.StatusCode, got, vary)
		}
	}
}
