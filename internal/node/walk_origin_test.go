package node_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// The origins of a walk: of the token, of nobody, of a sandboxed frame, and of a client that is no browser.
const allowedOrigin, foreignOrigin, nullOrigin, noOrigin = "https://app.example.com", "https://evil.example", "null", ""

var walkOrigins = []string{allowedOrigin, foreignOrigin, nullOrigin, noOrigin}

// addresses returns each method and path of the API, with the body of its request, and of the pages.
func (w *walked) addresses(t *testing.T) (api, pages [][3]string) {
	t.Helper()
	var spec object
	if err := json.Unmarshal(w.Contract.JSON(), &spec); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
		methods := spec.at("paths", path)
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			if operation, ok := methods[method].(map[string]any); ok && operation["operationId"] != nil && !takesTickets(operation) {
				_, body := spec.body(operation)
				at := w.Contract.Base() + strings.ReplaceAll(path, "{id}", w.id(strings.Split(path, "/")[1]))
				api = append(api, [3]string{strings.ToUpper(method), at, body})
			}
		}
	}
	if len(api) < 40 {
		t.Errorf("only %d operations were found", len(api))
	}
	return append(api, [][3]string{
		{"GET", "/api/v1"}, {"GET", "/api/v1/nothing"}, {"DELETE", "/api/v1/items"}, {"GET", "/api/v1/openapi.json"},
		{"GET", "/api/v1/openapi.yaml"}, {"GET", "/api/nothing"}, {"POST", "/graphql", `{"query":"{ me { email } }"}`},
		{"POST", "/graphql", `{`}, {"GET", "/graphql?query={me{email}}"}, {"GET", "/graphql/schema.graphql"},
	}...), [][3]string{{"GET", "/"}, {"GET", "/login"}, {"POST", "/login"}, {"POST", "/logout"}, {"GET", "/nothing"}}
}

// wantCORS checks the headers of an answer to an origin. Only the allowed origin may read it, and never with a cookie.
func wantCORS(t *testing.T, name string, got nodetest.Response, allowed string) {
	t.Helper()
	if origin := got.Header.Get("Access-Control-Allow-Origin"); origin != allowed {
		t.Errorf("%s: the answer allows %q, want %q", name, origin, allowed)
	}
	for header := range got.Header {
		if strings.HasPrefix(header, "Access-Control-") && allowed == "" || header == "Access-Control-Allow-Credentials" {
			t.Errorf("%s: the answer has %s", name, header)
		}
	}
}

func wantVaryOrigin(t *testing.T, name string, got nodetest.Response) {
	t.Helper()
	if vary := strings.Join(got.Header.Values("Vary"), ", "); !strings.Contains(vary, "Origin") {
		t.Errorf("%s: Vary is %q", name, vary)
	}
}

// A preflight is answered the same on every address of the API, and reaches no handler.
func TestWalk_EveryAddressAnswersPreflightsOfTheTokensOriginOnly(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	allowOrigin(t, w.Node, allowedOrigin)
	anyone := w.WithAuthorization("")
	api, pages := w.addresses(t)
	w.WantNoWrites(func() {
		for _, origin := range walkOrigins {
			for _, one := range append(api, pages...) {
				name := origin + " asks for " + one[0] + " " + one[1]
				got := preflight(t, anyone, one[0], one[1], origin)
				if !slices.Contains(api, one) {
					wantCORS(t, name, got, "")
					continue
				}
				wantVaryOrigin(t, name, got)
				if got.Status != http.StatusNoContent || len(got.Body) > 0 {
					t.Errorf("%s: got %d %s", name, got.Status, got.Body)
				}
				if origin != allowedOrigin {
					wantCORS(t, name, got, "")
					continue
				}
				wantCORS(t, name, got, allowedOrigin)
				if h := got.Header; h.Get("Access-Control-Allow-Methods") != one[0] ||
					!strings.Contains(h.Get("Access-Control-Allow-Headers"), "last-event-id") {
					t.Errorf("%s: the answer allows %v", name, h)
				}
			}
		}
	})
}

// An answer may be read by pages of the token's origin only, an error too. The token works for these pages only: not for
// others, and not without an origin.
func TestWalk_EveryAddressAnswersPagesOfTheTokensOriginOnly(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	token := allowOrigin(t, w.Node, allowedOrigin)
	api, pages := w.addresses(t)
	public := []string{"/api/v1/openapi.json", "/api/v1/openapi.yaml", "/api/nothing"}
	for who, client := range map[string]*nodetest.Client{
		"the token": token, "a wrong token": w.WithAuthorization("Bearer ict_wrong"), "nobody": w.WithAuthorization(""),
	} {
		for _, origin := range walkOrigins {
			for _, one := range append(api, pages...) {
				name := who + " of " + origin + " sends " + one[0] + " " + one[1]
				got := sendRaw(t, client, one[0], one[1], one[2], http.Header{"Origin": {origin}})
				allowed := ""
				if origin == allowedOrigin && slices.Contains(api, one) {
					allowed = origin
				}
				wantCORS(t, name, got, allowed)
				if !slices.Contains(api, one) {
					continue
				}
				wantVaryOrigin(t, name, got)
				exposed := got.Header.Get("Access-Control-Expose-Headers")
				if allowed != "" && (!strings.Contains(exposed, "Itemcast-Change-Cursor") || !strings.Contains(exposed, "Etag")) {
					t.Errorf("%s: a page can read %q", name, exposed)
				}
				switch {
				case slices.Contains(public, one[1]):
				case who == "the token" && origin != allowedOrigin:
					if got.Status != http.StatusForbidden || !strings.Contains(string(got.Body), "ORIGIN_NOT_ALLOWED") {
						t.Errorf("%s: got %d %s", name, got.Status, got.Body)
					}
				case who == "the token" && one == [3]string{"GET", "/api/v1/items"} && got.Status != http.StatusOK,
					who != "the token" && got.Status != http.StatusUnauthorized && got.Status != http.StatusForbidden:
					t.Errorf("%s: got %d %s", name, got.Status, got.Body)
				}
			}
		}
	}
}

// allowOrigin makes a token that names an origin, and waits until the node knows it. It shows no item.
func allowOrigin(t *testing.T, n *nodetest.Node, origin string) *nodetest.Client {
	t.Helper()
	token := n.InsertToken(nodetest.Token{Permissions: account.Permissions{account.ItemsView}, Origins: []string{origin},
		Filter: map[string]any{"tags": []string{"none"}}, PerMinute: 10_000})
	nodetest.Eventually(t, "the node knows "+origin, func() bool { return n.SignIn.AllowsOrigin(origin) })
	return token.Client
}

// preflight sends the request that a browser sends before one that is not simple.
func preflight(t *testing.T, n *nodetest.Client, method, path, origin string) nodetest.Response {
	t.Helper()
	return sendRaw(t, n, http.MethodOptions, path, "", http.Header{"Origin": {origin},
		"Access-Control-Request-Method":  {method},
		"Access-Control-Request-Headers": {"authorization,content-type,idempotency-key,if-match,last-event-id"}})
}

// sendRaw sends a request whose answer need not be in the contract.
func sendRaw(t *testing.T, n *nodetest.Client, method, path, body string, header http.Header) nodetest.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, n.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	if header.Get("Origin") == noOrigin {
		request.Header.Del("Origin")
	}
	if n.Authorization != "" {
		request.Header.Set("Authorization", n.Authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return nodetest.Response{Status: response.StatusCode, Header: response.Header, Body: answer}
}
