package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/bearer"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

func viewing(permissions ...account.Permission) account.Permissions {
	return append(account.Permissions{account.ItemsView}, permissions...)
}

func TestTokens_DoWhatTheyAndTheirUserMayDo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateUser("ada@example.com", n.RoleID("Viewer"))
	viewer := n.InsertToken(nodetest.Token{Permissions: viewing()})
	more := n.InsertToken(nodetest.Token{Of: "ada@example.com", Permissions: viewing(account.ItemsCreate)})
	for name, token := range map[string]nodetest.InsertedToken{"the token has less": viewer, "the user has less": more} {
		token.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK)
		token.Call(http.MethodPost, "/api/v1/items", `{"name":"x"}`).
			WantProblem(t, name, http.StatusForbidden, "FORBIDDEN")
		if _, codes := token.TryGraphQL(`mutation { createItem(input: {name: "x"}) { item { id } } }`,
			nil); len(codes) != 1 || codes[0] != "FORBIDDEN" {
			t.Errorf("%s: %q", name, codes)
		}
		token.GraphQL(`{ items { nodes { id } } }`, nil)
	}
	viewer.Call(http.MethodGet, "/api/v1/items", "", "Authorization", "bEARER  "+viewer.Secret).
		WantStatus(t, http.StatusOK)
}

func TestTokens_OfAUserWithoutTheAPIAreForbidden(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateUser("ada@example.com", n.CreateRole("Nobody", account.ItemsView))
	token := n.InsertToken(nodetest.Token{Of: "ada@example.com", Permissions: account.All()})
	token.Call(http.MethodGet, "/api/v1/items", "").WantProblem(t, "api.access", http.StatusForbidden, "FORBIDDEN")
	if _, codes := token.TryGraphQL(`{ me { email } }`, nil); len(codes) != 1 || codes[0] != "FORBIDDEN" {
		t.Errorf("GraphQL: %q", codes)
	}
}

func TestTokens_WithoutAValidSecretGetAChallenge(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateUser("off@example.com", n.RoleID("Viewer"))
	expired := n.InsertToken(nodetest.Token{Permissions: viewing(), Lifetime: -time.Second})
	revoked := n.InsertToken(nodetest.Token{Permissions: viewing()})
	disabled := n.InsertToken(nodetest.Token{Of: "off@example.com", Permissions: viewing()})
	revoked.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK)
	for _, statement := range []string{"DELETE FROM access_token WHERE id = '" + revoked.ID.String() + "'",
		"UPDATE app_user SET active = false WHERE email = 'off@example.com'"} {
		if _, err := n.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	nodetest.Eventually(t, "the node to forget the revoked token", func() bool {
		return revoked.Call(http.MethodGet, "/api/v1/items", "").Status == http.StatusUnauthorized
	})
	unknown, _ := secret.New()
	for name, given := range map[string]string{
		"expired": expired.Secret, "revoked": revoked.Secret, "disabled": disabled.Secret, "unknown": unknown,
		"mistyped": revoked.Secret[:secret.Length-1] + "!", "another's": "ghp_0123456789", "empty": "",
	} {
		token := n.WithAuthorization(bearer.Authorization(given))
		for _, got := range []nodetest.Response{
			token.Call(http.MethodGet, "/api/v1/items", ""),
			token.Call(http.MethodPost, "/graphql", `{"query":"{ me { email } }"}`),
			n.Call(http.MethodGet, "/api/v1/changes?access_token="+url.QueryEscape(given), "", "Authorization", "",
				"Accept", "text/event-stream"),
		} {
			if challenge := got.Header.Get("WWW-Authenticate"); got.Status != http.StatusUnauthorized ||
				challenge != `Bearer realm="Itemcast", error="invalid_token"` {
				t.Errorf("%s: %d %q %s", name, got.Status, challenge, got.Body)
			}
			if given != "" && strings.Contains(string(got.Body), given) {
				t.Errorf("%s: the answer has the secret: %s", name, got.Body)
			}
		}
	}
	if got := n.Call(http.MethodGet, "/api/v1/items", "", "Authorization", ""); got.Header.Get("WWW-Authenticate") !=
		`Basic realm="Itemcast", charset="UTF-8"` {
		t.Errorf("without credentials: %v", got.Header)
	}
	// The user is enabled again, and the token with it.
	n.Call(http.MethodPatch, "/api/v1/users/"+n.UserID("off@example.com"), `{"active":true}`).WantStatus(t, http.StatusOK)
	nodetest.Eventually(t, "the token works again", func() bool {
		return disabled.Call(http.MethodGet, "/api/v1/items", "").Status == http.StatusOK
	})
}

func TestTokens_TwoDifferentCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	one, two := n.InsertToken(nodetest.Token{Permissions: viewing()}), n.InsertToken(nodetest.Token{Permissions: viewing()})
	in := "/api/v1/items?access_token="
	one.Call(http.MethodGet, in+one.Secret, "").WantStatus(t, http.StatusOK)
	one.Call(http.MethodGet, in+two.Secret, "").WantProblem(t, "two tokens", http.StatusBadRequest, "BAD_REQUEST")
	n.Call(http.MethodGet, in+two.Secret, "").
		WantProblem(t, "a password and a token", http.StatusBadRequest, "BAD_REQUEST")
	n.Call(http.MethodGet, in+one.Secret+"&access_token="+two.Secret, "", "Authorization", "").
		WantProblem(t, "two parameters", http.StatusBadRequest, "BAD_REQUEST")
	if got := one.Call(http.MethodPost, "/graphql?access_token="+two.Secret, `{"query":"{ me { email } }"}`); got.Status !=
		http.StatusBadRequest {
		t.Errorf("GraphQL: %d %s", got.Status, got.Body)
	}
}

// A secret in a URL stays between the client and the server.
func TestTokens_InAURLLeaveNoTrace(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateItem(`{"name":"Gilda"}`)
	n.CreateItem(`{"name":"Laura"}`)
	token := n.InsertToken(nodetest.Token{Permissions: viewing()})
	program, browser := []string{"Accept", "*/*"}, []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate"}
	for path, header := range map[string][]string{
		"/api/v1/items?limit=1&":                program,
		"/api/v1/items?limit=1":                 browser,
		"/api/v1/items?format=json":             browser,
		"/api/v1/items?nonsense=1":              program,
		"/api/v1/items?nonsense=2":              browser,
		"/api/v1/changes?wait=0":                program,
		"/api/v1/nothing?x=1":                   program,
		"/api/v1/nothing?x=2":                   browser,
		"/api/v1?x=1":                           browser,
		"/nothing?x=1":                          browser,
		"/login?next=/api/v1/items":             browser,
		"/api/v1/openapi.json?x=1":              program,
		"/graphql?query=%7Bme%7Bemail%7D%7D":    program,
		"/graphql?query=%7Bnonsense%7D":         program,
		"/graphql?x=1":                          browser,
		"/api/v1//items?x=1":                    program,
		"/api/v1/changes?after=nonsense":        {"Accept", "text/event-stream"},
		"/graphql?query=subscription%7Bnone%7D": {"Accept", "text/event-stream"},
	} {
		for _, name := range []string{"access_token", "%61ccess_token", "access%5Ftoken"} {
			header = append([]string{"Authorization", ""}, header...)
			got := n.Page(n.Browser(), path+"&"+name+"="+token.Secret, header...)
			mentions := strings.Contains(string(got.Body), "access_token=") && !strings.Contains(path, "openapi.json")
			if mentions || strings.Contains(string(got.Body), token.Secret) {
				t.Errorf("%s: the body has the secret:\n%s", path, got.Body)
			}
			for field, values := range got.Header {
				if strings.Contains(strings.Join(values, " "), token.Secret) {
					t.Errorf("%s: %s has the secret: %q", path, field, values)
				}
			}
			if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: Cache-Control %q, Referrer-Policy %q", path, got.Header.Get("Cache-Control"),
					got.Header.Get("Referrer-Policy"))
			}
			if got.Status == http.StatusUnauthorized {
				t.Errorf("%s: %d %s", path, got.Status, got.Body)
			}
		}
	}
	list := n.Call(http.MethodGet, "/api/v1/items?limit=1&access_token="+token.Secret, "", "Authorization", "").
		WantStatus(t, http.StatusOK)
	if next := list.Link(t, "next"); next == nil || next.Query().Has("access_token") {
		t.Errorf("the next page is at %v", next)
	}
	// A header leaves the answer as cacheable as a password does.
	if got := token.Call(http.MethodGet, "/api/v1/items", ""); got.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("with a header: %q", got.Header.Get("Cache-Control"))
	}
}

func TestTokens_ACookieBesideOneIsIgnored(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	cookie := []string{"Cookie", n.Cookies(browser)}
	token := n.InsertToken(nodetest.Token{Permissions: viewing()})
	token.Call(http.MethodPost, "/api/v1/items", `{"name":"x"}`, cookie...).
		WantProblem(t, "the cookie may create items", http.StatusForbidden, "FORBIDDEN")
	n.Call(http.MethodPost, "/api/v1/items?access_token="+token.Secret, `{"name":"x"}`, append(cookie, "Authorization", "")...).
		WantProblem(t, "a parameter", http.StatusForbidden, "FORBIDDEN")
	n.WithAuthorization("Bearer nonsense").Call(http.MethodGet, "/api/v1/items", "", cookie...).
		WantProblem(t, "a wrong token", http.StatusUnauthorized, "UNAUTHENTICATED")
	if got := n.WithAuthorization("Bearer nonsense").Page(browser, "/nothing", cookie...); strings.Contains(string(got.Body),
		nodetest.AdminEmail) {
		t.Error("a page shows the user of the cookie")
	}
}

func TestTokens_AreForTheirOriginsOnly(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const page = "https://app.example"
	none := n.InsertToken(nodetest.Token{Permissions: viewing(account.ItemsCreate)})
	some := n.InsertToken(nodetest.Token{Permissions: viewing(account.ItemsCreate), Origins: []string{page}})
	own := n.InsertToken(nodetest.Token{Permissions: viewing(account.ItemsCreate), Origins: []string{n.URL}})
	for name, c := range map[string]struct {
		header           []string
		none, some, own_ bool
	}{
		"no browser":               {nil, true, false, false},
		"the page's origin":        {[]string{"Origin", page, "Sec-Fetch-Site", "cross-site"}, false, true, false},
		"another origin":           {[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, false, false, false},
		"a prefix of the origin":   {[]string{"Origin", page + ".evil.example"}, false, false, false},
		"another scheme":           {[]string{"Origin", "http://app.example"}, false, false, false},
		"a sandboxed page":         {[]string{"Origin", "null"}, false, false, false},
		"this server's page":       {[]string{"Origin", n.URL}, true, false, true},
		"a GET of this server's":   {[]string{"Sec-Fetch-Site", "same-origin"}, true, false, true},
		"an image elsewhere":       {[]string{"Sec-Fetch-Site", "cross-site"}, false, false, false},
		"an address that is typed": {[]string{"Sec-Fetch-Site", "none"}, true, false, false},
	} {
		for token, allowed := range map[nodetest.InsertedToken]bool{none: c.none, some: c.some, own: c.own_} {
			read := token.Call(http.MethodGet, "/api/v1/items", "", c.header...)
			write := token.Call(http.MethodPost, "/api/v1/items", `{"name":"x"}`, c.header...)
			query := token.Call(http.MethodPost, "/graphql", `{"query":"{ items { nodes { id } } }"}`, c.header...)
			if allowed {
				read.WantStatus(t, http.StatusOK)
				write.WantStatus(t, http.StatusCreated)
				query.WantStatus(t, http.StatusOK)
				continue
			}
			read.WantProblem(t, name, http.StatusForbidden, "ORIGIN_NOT_ALLOWED")
			write.WantProblem(t, name, http.StatusForbidden, "ORIGIN_NOT_ALLOWED")
			if query.Status != http.StatusForbidden || !strings.Contains(string(query.Body), "ORIGIN_NOT_ALLOWED") {
				t.Errorf("%s: GraphQL answers %d %s", name, query.Status, query.Body)
			}
		}
	}
}

// A token exempts its request from the protection of cookies, and nothing else from it.
func TestTokens_DoNotOpenTheSignInToOtherSites(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing(), Origins: []string{"https://evil.example"}})
	form := url.Values{"email": {nodetest.AdminEmail}, "password": {nodetest.AdminPassword}}.Encode()
	for _, path := range []string{"/login", "/logout", "/reset"} {
		got := n.Call(http.MethodPost, path+"?access_token="+token.Secret, form, "Authorization", "",
			"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example")
		if got.Status != http.StatusForbidden || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", path, got.Status, got.Header)
		}
	}
}

func TestTokens_CannotDoWhatOutlivesThem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateUser("ada@example.com", n.RoleID("Viewer"))
	ada := "/api/v1/users/" + n.UserID("ada@example.com")
	robot := n.Call(http.MethodPost, "/api/v1/users", `{"email":"robot@example.com","kind":"api","role_id":"`+
		n.RoleID("Viewer")+`"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	token := n.InsertToken(nodetest.Token{Permissions: account.All()})
	for _, c := range [][3]string{
		{http.MethodPut, "/api/v1/me/password", `{"current_password":"` + nodetest.AdminPassword +
			`","new_password":"a bicycle made of snow"}`},
		{http.MethodGet, "/api/v1/me/sessions", ""},
		{http.MethodDelete, "/api/v1/me/sessions", ""},
		{http.MethodDelete, "/api/v1/me/sessions/01890000-0000-7000-8000-000000000000", ""},
		{http.MethodPatch, ada, `{"password":"a bicycle made of snow"}`},
		{http.MethodPatch, ada, `{"email":"moved@example.com"}`},
		{http.MethodPost, "/api/v1/users", `{"email":"eve@example.com","password":"a bicycle made of snow","role_id":"` +
			n.RoleID("Viewer") + `"}`},
		{http.MethodPost, "/api/v1/users", `{"email":"eve@example.com","kind":"api","role_id":"` + n.RoleID("Viewer") + `"}`},
		{http.MethodPost, ada + "/reset-link", ""},
		{http.MethodPost, "/api/v1/users/" + robot + "/rotate-password", ""},
	} {
		got := token.Call(c[0], c[1], c[2])
		got.WantProblem(t, c[0]+" "+c[1], http.StatusForbidden, "FORBIDDEN")
		if !strings.Contains(string(got.Body), "An access token cannot") {
			t.Errorf("%s %s: %s", c[0], c[1], got.Body)
		}
	}
	token.Call(http.MethodPatch, ada, `{"name":"Ada"}`).WantStatus(t, http.StatusOK)
	token.Call(http.MethodPost, "/api/v1/users", `{"email":"eve@example.com","kind":"api","generate_password":false,
		"role_id":"`+n.RoleID("Viewer")+`"}`).WantStatus(t, http.StatusCreated)
	audit := n.Call(http.MethodGet, "/api/v1/audit?action=user.updated", "").WantStatus(t, http.StatusOK)
	if !strings.Contains(string(audit.Body), "access token a test") || strings.Contains(string(audit.Body), token.Secret) {
		t.Errorf("the audit log has %s", audit.Body)
	}
}

// Every node forgets a token as soon as it, its user or its user's role changes.
func TestTokens_ChangesReachEveryNode(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	nodes := []*nodetest.Node{nodetest.StartOn(t, pool), nodetest.StartOn(t, pool)}
	for name, c := range map[string]struct {
		statement string // of the token $1 and its user's address $2
		status    int
	}{
		"revoked": {"DELETE FROM access_token WHERE id = $1 AND $2 <> ''", http.StatusUnauthorized},
		"without the permission": {"UPDATE access_token SET permissions = '{}' WHERE id = $1 AND $2 <> ''",
			http.StatusForbidden},
		"other origins": {"UPDATE access_token SET origins = '{https://app.example}' WHERE id = $1 AND $2 <> ''",
			http.StatusForbidden},
		"expired": {"UPDATE access_token SET expires_at = now() - interval '1 s' WHERE id = $1 AND $2 <> ''",
			http.StatusUnauthorized},
		"another secret": {"UPDATE access_token SET digest = sha256('x') WHERE id = $1 AND $2 <> ''",
			http.StatusUnauthorized},
		"the user is disabled": {"UPDATE app_user SET active = false WHERE email = $2 AND $1 <> gen_random_uuid()",
			http.StatusUnauthorized},
		"the user is deleted": {"DELETE FROM app_user WHERE email = $2 AND $1 <> gen_random_uuid()",
			http.StatusUnauthorized},
		"the user has another role": {"UPDATE app_user SET role_id = (SELECT id FROM role WHERE name = 'Less') " +
			"WHERE email = $2 AND $1 <> gen_random_uuid()", http.StatusForbidden},
	} {
		if name == "the user has another role" {
			nodes[0].CreateRole("Less", account.APIAccess)
		}
		email := strings.ReplaceAll(name, " ", ".") + "@example.com"
		nodes[0].CreateUser(email, nodes[0].RoleID("Viewer"))
		token := nodes[0].InsertToken(nodetest.Token{Of: email, Permissions: viewing()})
		at := func(n *nodetest.Node) int {
			return n.WithAuthorization(token.Authorization).Call(http.MethodGet, "/api/v1/items", "").Status
		}
		var streams []*nodetest.EventStream
		for _, n := range nodes {
			streams = append(streams, n.WithAuthorization(token.Authorization).StreamChanges(""))
			streams[len(streams)-1].Begin()
			if status := at(n); status != http.StatusOK {
				t.Fatalf("%s: %d before the change", name, status)
			}
		}
		if _, err := pool.Exec(t.Context(), c.statement, token.ID, email); err != nil {
			t.Fatal(err)
		}
		for i, n := range nodes {
			nodetest.Eventually(t, "the node to know: "+name, func() bool { return at(n) == c.status })
			if e := nodetest.Next(t, streams[i].Events); e.Name != "error" {
				t.Errorf("%s: the stream sends %+v", name, e)
			}
			if err := nodetest.Next(t, streams[i].Ended); err != nil {
				t.Errorf("%s: the stream ends with %v", name, err)
			}
		}
	}
}
