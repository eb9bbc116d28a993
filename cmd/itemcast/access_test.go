package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
)

// role makes a role, and returns its id.
func (n *apiClient) role(name string, permissions ...account.Permission) string {
	n.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "permissions": account.Permissions(permissions).Strings()})
	if err != nil {
		n.t.Fatal(err)
	}
	return n.call(http.MethodPost, "/api/v1/roles", string(body)).expect(n.t, http.StatusCreated).field(n.t, "id")
}

// roleNamed finds a role that there is.
func (n *apiClient) roleNamed(name string) string {
	n.t.Helper()
	var list struct{ Results []struct{ ID, Name string } }
	if err := json.Unmarshal(n.call(http.MethodGet, "/api/v1/roles", "").expect(n.t, http.StatusOK).body, &list); err != nil {
		n.t.Fatal(err)
	}
	for _, r := range list.Results {
		if r.Name == name {
			return r.ID
		}
	}
	n.t.Fatalf("there is no role %s", name)
	return ""
}

const userPassword = "a bicycle made of rain"

// person makes a user of a role, and calls as that user.
func (n *apiClient) person(email, role string) *apiClient {
	n.t.Helper()
	n.call(http.MethodPost, "/api/v1/users", fmt.Sprintf(`{"email":%q,"role_id":%q,"password":%q}`, email, role, userPassword)).expect(n.t, http.StatusCreated)
	return n.as(email, userPassword)
}

func (n *apiClient) userID(email string) string {
	n.t.Helper()
	var list struct{ Results []struct{ ID, Email string } }
	if err := json.Unmarshal(n.call(http.MethodGet, "/api/v1/users", "").expect(n.t, http.StatusOK).body, &list); err != nil {
		n.t.Fatal(err)
	}
	for _, u := range list.Results {
		if u.Email == email {
			return u.ID
		}
	}
	n.t.Fatalf("there is no user %s", email)
	return ""
}

// browser is a client that keeps cookies and follows no redirects.
func (n *apiClient) browser() *http.Client {
	n.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (n *apiClient) submit(c *http.Client, path string, form url.Values, header ...string) *http.Response {
	n.t.Helper()
	request, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, n.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		n.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := c.Do(request)
	if err != nil {
		n.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

func (n *apiClient) signInAs(c *http.Client, email, password string) *http.Response {
	n.t.Helper()
	return n.submit(c, "/login", url.Values{"email": {email}, "password": {password}, "next": {"/api/v1/items"}})
}

// cookies are what a browser has for the node, as a header.
func (n *apiClient) cookies(c *http.Client) string {
	n.t.Helper()
	at, err := url.Parse(n.url)
	if err != nil {
		n.t.Fatal(err)
	}
	var all []string
	for _, cookie := range c.Jar.Cookies(at) {
		all = append(all, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(all, "; ")
}

func TestUsers_TheLastAdministratorStaysWhateverIsTried(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	admin, viewer := "/api/v1/users/"+n.userID(adminEmail), n.roleNamed("Viewer")
	for _, c := range [][3]string{
		{http.MethodPatch, admin, `{"active":false}`}, {http.MethodPatch, admin, `{"role_id":"` + viewer + `"}`}, {http.MethodDelete, admin, ""},
		{http.MethodPatch, "/api/v1/roles/" + n.roleNamed("Administrator"), `{"permissions":["api.access"]}`},
	} {
		n.call(c[0], c[1], c[2]).refused(t, c[0]+c[2], http.StatusConflict, "CONFLICT")
	}
	// An API user, and one without a password, are nobody who could let the others in again.
	administrator := n.roleNamed("Administrator")
	n.call(http.MethodPost, "/api/v1/users", `{"email":"bot@example.com","kind":"api","role_id":"`+administrator+`"}`).expect(t, http.StatusCreated)
	n.call(http.MethodPost, "/api/v1/users", `{"email":"new@example.com","role_id":"`+administrator+`"}`).expect(t, http.StatusCreated)
	n.call(http.MethodDelete, admin, "").refused(t, "beside an API user", http.StatusConflict, "CONFLICT")

	// Two administrators who switch each other off at once: one stays.
	second := n.person("second@example.com", administrator)
	results := make(chan int, 2)
	go func() {
		results <- n.call(http.MethodPatch, "/api/v1/users/"+n.userID("second@example.com"), `{"active":false}`).status
	}()
	go func() { results <- second.call(http.MethodPatch, admin, `{"active":false}`).status }()
	<-results
	<-results
	var left int
	if err := n.pool.QueryRow(t.Context(), "SELECT count(*) FROM app_user WHERE active AND email = ANY ($1)", []string{adminEmail, "second@example.com"}).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d administrators are left, %v", left, err)
	}
}

func TestUsers_NobodyGivesOrTouchesWhatTheyDoNotHave(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	manager := n.person("manager@example.com", n.role("Manager", account.APIAccess, account.UsersManage, account.ItemsView))
	admin, administrator, viewer := "/api/v1/users/"+n.userID(adminEmail), n.roleNamed("Administrator"), n.roleNamed("Viewer")
	own := "/api/v1/users/" + n.userID("manager@example.com")
	for _, c := range [][3]string{
		{http.MethodPost, "/api/v1/users", `{"email":"x@example.com","role_id":"` + administrator + `","password":"` + userPassword + `"}`},
		{http.MethodPatch, own, `{"role_id":"` + administrator + `"}`},
		{http.MethodPatch, admin, `{"password":"` + userPassword + `"}`}, {http.MethodPatch, admin, `{"email":"mine@example.com"}`},
		{http.MethodDelete, admin, ""}, {http.MethodPost, admin + "/reset-link", ""},
		{http.MethodPost, "/api/v1/roles", `{"name":"More","permissions":["hooks.manage"]}`},
		{http.MethodPatch, "/api/v1/roles/" + n.roleNamed("Manager"), `{"permissions":["api.access","users.manage","items.delete"]}`},
		{http.MethodPatch, "/api/v1/roles/" + administrator, `{"permissions":["api.access"]}`}, {http.MethodDelete, "/api/v1/roles/" + administrator, ""},
	} {
		manager.call(c[0], c[1], c[2]).refused(t, c[0]+" "+c[1]+" "+c[2], http.StatusForbidden, "FORBIDDEN")
	}
	// Nor does anybody go whom nobody else could bring back.
	for _, c := range [][2]string{{http.MethodPatch, `{"active":false}`}, {http.MethodPatch, `{"role_id":"` + viewer + `"}`}, {http.MethodDelete, ""}} {
		n.call(c[0], admin, c[1]).refused(t, c[0]+" the last with all permissions", http.StatusConflict, "CONFLICT")
	}
	n.person("equal@example.com", administrator).call(http.MethodPatch, admin, `{"role_id":"`+viewer+`"}`).expect(t, http.StatusOK)
	manager.call(http.MethodPost, "/api/v1/users", `{"email":"y@example.com","role_id":"`+viewer+`","password":"`+userPassword+`"}`).expect(t, http.StatusCreated)
}

func TestUsers_FaultsAreToldTogetherAndRevisionsAreHeld(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewer := n.roleNamed("Viewer")
	got := n.call(http.MethodPost, "/api/v1/users", `{"email":"no address","name":1,"kind":"robot","x":1}`).refused(t, "faults", http.StatusBadRequest, "INVALID_INPUT")
	if places := got.places(t); len(places) != 5 {
		t.Errorf("faults at %q", places)
	}
	for password, why := range map[string]string{"short": "8 characters", "password1": "everybody", "ada@example.com": "address", "aaaaaaaaaa": "everybody", "12345678": "everybody"} {
		got := n.call(http.MethodPost, "/api/v1/users", fmt.Sprintf(`{"email":"ada@example.com","role_id":%q,"password":%q}`, viewer, password))
		if got.refused(t, password, http.StatusUnprocessableEntity, "RULE_VIOLATED"); !strings.Contains(string(got.body), why) {
			t.Errorf("%s: %s", password, got.body)
		}
	}
	made := n.call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","role_id":"`+viewer+`"}`, "Idempotency-Key", "k").expect(t, http.StatusCreated)
	again := n.call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","role_id":"`+viewer+`"}`, "Idempotency-Key", "k").expect(t, http.StatusCreated)
	if made.field(t, "id") != again.field(t, "id") {
		t.Error("a repeated request made another user")
	}
	n.call(http.MethodPost, "/api/v1/users", `{"email":"ADA@example.com","role_id":"`+viewer+`"}`).refused(t, "taken", http.StatusConflict, "CONFLICT")
	path := "/api/v1/users/" + made.field(t, "id")
	changed := n.call(http.MethodPatch, path, `{"name":"Ada"}`, "If-Match", made.header.Get("ETag")).expect(t, http.StatusOK)
	n.call(http.MethodPatch, path, `{"name":"Eve"}`, "If-Match", made.header.Get("ETag")).refused(t, "stale", http.StatusPreconditionFailed, "REVISION_MISMATCH")
	if read := n.call(http.MethodGet, path, "").expect(t, http.StatusOK); read.header.Get("ETag") != changed.header.Get("ETag") || read.field(t, "name") != "Ada" {
		t.Errorf("got %s", read.body)
	}
	n.call(http.MethodDelete, "/api/v1/roles/"+viewer, "").refused(t, "in use", http.StatusConflict, "CONFLICT")
}

// A name is what it looks like, and one role's alone.
func TestNames_HideNothing(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewer := n.roleNamed("Viewer")
	user := n.call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","name":" Ada\u3000Lovelace ","role_id":"`+viewer+`"}`).expect(t, http.StatusCreated)
	if got := user.field(t, "name"); got != "Ada\u3000Lovelace" {
		t.Errorf("the name is %q", got)
	}
	role, profile := n.role("Archivist"), n.limited(" Newsroom ")
	if got := n.call(http.MethodGet, "/api/v1/workflow-profiles/"+profile, "").expect(t, http.StatusOK).field(t, "name"); got != "Newsroom" {
		t.Errorf("the profile is %q", got)
	}
	for _, hidden := range []string{`\u001b[2J`, `\r\n`, `\t`, `\u0085`, `\u202e`, `\u200b`, `\ufeff`, `\u2028`, `\u2029`} {
		for _, c := range [][3]string{
			{http.MethodPost, "/api/v1/users", `{"email":"eve@example.com","role_id":"` + viewer + `","name":"Ad` + hidden + `a"}`},
			{http.MethodPost, "/api/v1/users", `{"email":"e` + hidden + `ve@example.com","role_id":"` + viewer + `"}`},
			{http.MethodPatch, "/api/v1/users/" + user.field(t, "id"), `{"name":"Ad` + hidden + `a"}`},
			{http.MethodPatch, "/api/v1/users/" + user.field(t, "id"), `{"email":"ad` + hidden + `a@example.com"}`},
			{http.MethodPost, "/api/v1/roles", `{"permissions":[],"name":"Admin` + hidden + `istrator"}`},
			{http.MethodPatch, "/api/v1/roles/" + role, `{"name":"Admin` + hidden + `istrator"}`},
			{http.MethodPost, "/api/v1/workflow-profiles", `{"name":"News` + hidden + `room"}`},
			{http.MethodPatch, "/api/v1/workflow-profiles/" + profile, `{"name":"News` + hidden + `room"}`},
		} {
			n.call(c[0], c[1], c[2]).refused(t, c[0]+" "+c[1]+" "+c[2], http.StatusBadRequest, "INVALID_INPUT")
		}
	}
	n.call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com\u00a0","role_id":"`+viewer+`"}`).refused(t, "a space", http.StatusBadRequest, "INVALID_INPUT")
	for _, name := range []string{"Administrator ", "ADMINISTRATOR", "\u00a0administrator"} {
		n.call(http.MethodPost, "/api/v1/roles", fmt.Sprintf(`{"name":%q,"permissions":[]}`, name)).refused(t, name, http.StatusConflict, "CONFLICT")
		n.call(http.MethodPatch, "/api/v1/roles/"+role, fmt.Sprintf(`{"name":%q}`, name)).refused(t, name, http.StatusConflict, "CONFLICT")
	}
	n.call(http.MethodPatch, "/api/v1/roles/"+role, `{"name":" ARCHIVIST"}`).expect(t, http.StatusOK)

	// What was stored before can be worked with all the same.
	for _, statement := range []string{"UPDATE app_user SET name = E'Ad\\u200ba' WHERE email = 'ada@example.com'", "UPDATE role SET name = E'Arch\\u200bivist' WHERE name = 'ARCHIVIST'",
		"UPDATE workflow_profile SET name = E'News\\u200broom'"} {
		if _, err := n.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	n.call(http.MethodPatch, "/api/v1/users/"+user.field(t, "id"), `{"active":false}`).expect(t, http.StatusOK)
	n.call(http.MethodPatch, "/api/v1/roles/"+role, `{"permissions":["items.view"]}`).expect(t, http.StatusOK)
	n.call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"description":"news"}`).expect(t, http.StatusOK)
}

func TestUsers_AreFoundByWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewer, editor := n.roleNamed("Viewer"), n.roleNamed("Editor")
	for _, body := range []string{
		`{"email":"ada@example.com","name":"Ada Lovelace","role_id":"` + viewer + `"}`,
		`{"email":"feed@example.com","name":"100% Ärger","kind":"api","role_id":"` + editor + `"}`,
		`{"email":"eve@example.com","active":false,"role_id":"` + editor + `"}`,
	} {
		n.call(http.MethodPost, "/api/v1/users", body).expect(t, http.StatusCreated)
	}
	for _, c := range []struct{ query, filter, want string }{
		{"search=LOVE", `search: "LOVE"`, "ada"},
		{"search=%C3%A4rger", `search: "ärger"`, "feed"},
		{"search=%25", `search: "%"`, "feed"},
		{"search=_", `search: "_"`, ""},
		{"role_id=" + editor, `roleId: "` + editor + `"`, "eve feed"},
		{"kind=api", "kind: API", "feed"},
		{"active=false", "active: false", "eve"},
		{"active=true&search=example.com&kind=person", `active: true, search: "example.com", kind: PERSON`, "ada admin"},
	} {
		var list struct{ Results []struct{ Email string } }
		if err := json.Unmarshal(n.call(http.MethodGet, "/api/v1/users?"+c.query, "").expect(t, http.StatusOK).body, &list); err != nil {
			t.Fatal(err)
		}
		var overGraphQL struct {
			Users struct{ Nodes []struct{ Email string } }
		}
		query, err := json.Marshal(map[string]string{"query": "{ users(filter: {" + c.filter + "}) { nodes { email } } }"})
		if err != nil {
			t.Fatal(err)
		}
		data, codes := n.call(http.MethodPost, "/graphql", string(query)).graphQL(t)
		if err := json.Unmarshal(data, &overGraphQL); err != nil || len(codes) > 0 {
			t.Fatalf("%s: %v %s", c.filter, err, codes)
		}
		names := func(nodes []struct{ Email string }) string {
			var all []string
			for _, u := range nodes {
				name, _, _ := strings.Cut(u.Email, "@")
				all = append(all, name)
			}
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		if rest, graphQL := names(list.Results), names(overGraphQL.Users.Nodes); rest != c.want || graphQL != c.want {
			t.Errorf("%s: found %q, over GraphQL %q, want %q", c.query, rest, graphQL, c.want)
		}
	}
	var page struct {
		Results []struct{ Email string }
		Next    string
	}
	if err := json.Unmarshal(n.call(http.MethodGet, "/api/v1/users?limit=1&active=true", "").expect(t, http.StatusOK).body, &page); err != nil || !strings.Contains(page.Next, "active=true") {
		t.Errorf("the next page is %q: %v", page.Next, err)
	}
	for _, query := range []string{"kind=robot", "active=perhaps", "role_id=x", "search=", "search=%00"} {
		n.call(http.MethodGet, "/api/v1/users?"+query, "").refused(t, query, http.StatusBadRequest, "INVALID_INPUT")
	}
}

func TestUsers_AnAPIUserIsToldItsPasswordOnceAndSignsInOnNoPage(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	made := n.call(http.MethodPost, "/api/v1/users", `{"email":"bot@example.com","kind":"api","role_id":"`+n.roleNamed("Viewer")+`"}`).expect(t, http.StatusCreated)
	password := made.field(t, "password")
	path := "/api/v1/users/" + made.field(t, "id")
	if read := n.call(http.MethodGet, path, "").expect(t, http.StatusOK); strings.Contains(string(read.body), password) {
		t.Error("the password is told again")
	}
	bot := n.as("bot@example.com", password)
	bot.call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
	if got := n.signInAs(n.browser(), "bot@example.com", password); got.StatusCode != http.StatusForbidden || got.Header.Get("Set-Cookie") != "" {
		t.Errorf("on the page: %d, %s", got.StatusCode, got.Header.Get("Set-Cookie"))
	}
	n.call(http.MethodPost, path+"/reset-link", "").refused(t, "a link", http.StatusConflict, "CONFLICT")
	other := n.call(http.MethodPost, path+"/rotate-password", "").expect(t, http.StatusOK).field(t, "password")
	await(t, func() bool { return bot.call(http.MethodGet, "/api/v1/me", "").status == http.StatusUnauthorized })
	n.as("bot@example.com", other).call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
}

func TestSessions_AuthenticateAsBasicDoes(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	browser := n.browser()
	if got := n.signInAs(browser, adminEmail, "wrong"); got.StatusCode != http.StatusUnauthorized || n.cookies(browser) != "" {
		t.Fatalf("a wrong password: %d, %q", got.StatusCode, n.cookies(browser))
	}
	got := n.signInAs(browser, adminEmail, adminPassword)
	if cookie := got.Header.Get("Set-Cookie"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/api/v1/items" ||
		!strings.HasPrefix(cookie, "itemcast_session=") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || !strings.Contains(cookie, "Path=/;") {
		t.Fatalf("got %d %s %s", got.StatusCode, got.Header.Get("Location"), cookie)
	}
	first := n.cookies(browser)
	as := func(cookie string) []string { return []string{"Authorization", "", "Cookie", cookie} }
	n.call(http.MethodGet, "/api/v1/me", "", as(first)...).expect(t, http.StatusOK)
	n.call(http.MethodPost, "/api/v1/items", `{"name":"by session"}`, as(first)...).expect(t, http.StatusCreated)
	n.call(http.MethodPost, "/graphql", `{"query":"{ me { email } }"}`, as(first)...).expect(t, http.StatusOK)
	n.call(http.MethodPost, "/api/v1/items", `{"name":"x"}`, append(as(first), "Sec-Fetch-Site", "cross-site")...).refused(t, "another site", http.StatusForbidden, "FORBIDDEN")
	n.call(http.MethodPost, "/api/v1/items", `{"name":"x"}`, append(as(first), "Origin", "https://evil.example")...).refused(t, "another origin", http.StatusForbidden, "FORBIDDEN")

	// Signing in again rotates the session; signing out ends it, on this node at once.
	n.signInAs(browser, adminEmail, adminPassword)
	second := n.cookies(browser)
	if first == second {
		t.Error("the token stayed the same")
	}
	await(t, func() bool {
		return n.call(http.MethodGet, "/api/v1/me", "", as(first)...).status == http.StatusUnauthorized
	})
	n.call(http.MethodGet, "/api/v1/me", "", as(second)...).expect(t, http.StatusOK)
	n.submit(browser, "/logout", nil)
	if n.cookies(browser) != "" {
		t.Error("the cookie stays")
	}
	n.call(http.MethodGet, "/api/v1/me", "", as(second)...).refused(t, "signed out", http.StatusUnauthorized, "UNAUTHENTICATED")
}

func TestSessions_EndEverywhereAndWithThePassword(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada := n.person("ada@example.com", n.roleNamed("Viewer"))
	open := func() []string {
		browser := n.browser()
		n.signInAs(browser, "ada@example.com", userPassword)
		return []string{"Authorization", "", "Cookie", n.cookies(browser)}
	}
	one, two := open(), open()
	var list struct {
		Results []struct {
			ID      string
			Current bool
		}
	}
	if err := json.Unmarshal(n.call(http.MethodGet, "/api/v1/me/sessions", "", one...).expect(t, http.StatusOK).body, &list); err != nil || len(list.Results) != 2 {
		t.Fatalf("got %+v, %v", list, err)
	}
	for _, s := range list.Results {
		if !s.Current {
			n.call(http.MethodDelete, "/api/v1/me/sessions/"+s.ID, "").refused(t, "another user's session", http.StatusNotFound, "NOT_FOUND")
			n.call(http.MethodDelete, "/api/v1/me/sessions/"+s.ID, "", one...).expect(t, http.StatusNoContent)
		}
	}
	n.call(http.MethodGet, "/api/v1/me", "", two...).expect(t, http.StatusUnauthorized)
	n.call(http.MethodDelete, "/api/v1/me/sessions", "", one...).expect(t, http.StatusNoContent)
	n.call(http.MethodGet, "/api/v1/me", "", one...).expect(t, http.StatusUnauthorized)

	three := open()
	ada.call(http.MethodPut, "/api/v1/me/password", `{"current_password":"wrong","new_password":"short"}`, "Content-Type", "application/json").refused(t, "a wrong one", http.StatusUnprocessableEntity, "RULE_VIOLATED")
	ada.call(http.MethodPut, "/api/v1/me/password", `{"current_password":"`+userPassword+`","new_password":"another one made of snow"}`, "Content-Type", "application/json").expect(t, http.StatusNoContent)
	await(t, func() bool {
		return n.call(http.MethodGet, "/api/v1/me", "", three...).status == http.StatusUnauthorized
	})
	await(t, func() bool { return ada.call(http.MethodGet, "/api/v1/me", "").status == http.StatusUnauthorized })
	n.as("ada@example.com", "another one made of snow").call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
}

// Who may not use the API can leave every browser all the same.
func TestSessions_EndEverywhereByThePageWithoutTheAPI(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.person("ada@example.com", n.role("Nobody"))
	one, two, three := n.browser(), n.browser(), n.browser()
	for _, browser := range []*http.Client{one, two, three} {
		n.signInAs(browser, "ada@example.com", userPassword)
	}
	signedIn := func(browser *http.Client) bool {
		return strings.Contains(string(n.call(http.MethodGet, "/", "", "Authorization", "", "Cookie", n.cookies(browser)).expect(t, http.StatusOK).body), "Sign out everywhere")
	}
	n.submit(one, "/logout", nil)
	if !signedIn(two) || !signedIn(three) {
		t.Error("one who signs out in a browser is signed out in another")
	}
	if got := n.submit(two, "/logout", url.Values{"everywhere": {"1"}}); got.StatusCode != http.StatusSeeOther || n.cookies(two) != "" {
		t.Errorf("got %d", got.StatusCode)
	}
	if signedIn(three) {
		t.Error("signed out everywhere, and signed in still")
	}
	if body := n.call(http.MethodGet, "/api/v1/audit?action=sign-out", "").expect(t, http.StatusOK).body; !strings.Contains(string(body), `{"sessions":2}`) {
		t.Errorf("the log tells %s", body)
	}
}

func TestReset_ALinkWorksOnceAndForADay(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","role_id":"`+n.roleNamed("Viewer")+`"}`).expect(t, http.StatusCreated)
	link := func() string {
		at, err := url.Parse(n.call(http.MethodPost, "/api/v1/users/"+n.userID("ada@example.com")+"/reset-link", "").expect(t, http.StatusCreated).field(t, "url"))
		if err != nil || !strings.HasPrefix(at.String(), n.url+"/reset?token=") {
			t.Fatalf("%s, %v", at, err)
		}
		return at.Query().Get("token")
	}
	old := link()
	token := link()
	set := func(token, password string) int {
		return n.submit(n.browser(), "/reset", url.Values{"token": {token}, "password": {password}}).StatusCode
	}
	for range 2 { // to look uses nothing up
		n.call(http.MethodGet, "/reset?token="+token, "").expect(t, http.StatusOK)
	}
	if got := set(old, userPassword); got != http.StatusNotFound {
		t.Errorf("a link that was replaced: %d", got)
	}
	if got := set(token, "short"); got != http.StatusUnprocessableEntity {
		t.Errorf("a short password: %d", got)
	}
	if got := set(token, userPassword); got != http.StatusSeeOther {
		t.Errorf("the link: %d", got)
	}
	if got := set(token, userPassword); got != http.StatusNotFound {
		t.Errorf("the link again: %d", got)
	}
	n.as("ada@example.com", userPassword).call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
	late := link()
	if _, err := n.pool.Exec(t.Context(), "UPDATE reset_link SET expires_at = now() - interval '1 second'"); err != nil {
		t.Fatal(err)
	}
	if got := set(late, userPassword); got != http.StatusNotFound {
		t.Errorf("a late link: %d", got)
	}
}

// A link is worth no more than whoever made it may do when it is used.
func TestReset_ALinkWorksAsLongAsItsMakerMayMakeIt(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	manager, viewer, administrator := n.role("Manager", account.APIAccess, account.UsersManage, account.ItemsView), n.roleNamed("Viewer"), n.roleNamed("Administrator")
	small := n.role("Small", account.APIAccess)
	for name, c := range map[string]struct {
		path, body string // what is changed meanwhile
		want       int
	}{
		"nothing":     {"", "", http.StatusSeeOther},
		"promoted":    {"users/USER", `{"role_id":"` + administrator + `"}`, http.StatusNotFound},
		"less":        {"users/USER", `{"role_id":"` + small + `"}`, http.StatusSeeOther},
		"more":        {"roles/ROLE", `{"permissions":["api.access","items.delete"]}`, http.StatusNotFound},
		"address":     {"users/USER", `{"email":"other@example.com"}`, http.StatusNotFound},
		"removed":     {"users/MAKER", `{"active":false}`, http.StatusNotFound},
		"demoted":     {"users/MAKER", `{"role_id":"` + viewer + `"}`, http.StatusNotFound},
		"maker's own": {"users/MAKER", `{"role_id":"` + administrator + `"}`, http.StatusSeeOther},
	} {
		local := strings.NewReplacer(" ", ".", "'", "").Replace(name)
		maker := n.person("maker-"+local+"@example.com", manager)
		role := n.role("Of "+name, account.APIAccess)
		id := n.call(http.MethodPost, "/api/v1/users", `{"email":"`+local+`@example.com","role_id":"`+role+`"}`).expect(t, http.StatusCreated).field(t, "id")
		at, err := url.Parse(maker.call(http.MethodPost, "/api/v1/users/"+id+"/reset-link", "").expect(t, http.StatusCreated).field(t, "url"))
		if err != nil {
			t.Fatal(err)
		}
		if c.path != "" {
			path := strings.NewReplacer("USER", id, "MAKER", n.userID("maker-"+local+"@example.com"), "ROLE", role).Replace(c.path)
			n.call(http.MethodPatch, "/api/v1/"+path, c.body).expect(t, http.StatusOK)
		}
		if got := n.submit(n.browser(), "/reset", url.Values{"token": {at.Query().Get("token")}, "password": {userPassword}}).StatusCode; got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestUsers_AnotherAddressEndsTheSessionsOfTheOldOne(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	browser := n.browser()
	n.person("mover@example.com", n.roleNamed("Viewer"))
	n.signInAs(browser, "mover@example.com", userPassword)
	session := []string{"Authorization", "", "Cookie", n.cookies(browser)}
	n.call(http.MethodGet, "/api/v1/me", "", session...).expect(t, http.StatusOK)
	n.call(http.MethodPatch, "/api/v1/users/"+n.userID("mover@example.com"), `{"email":"moved@example.com"}`).expect(t, http.StatusOK)
	await(t, func() bool {
		return n.call(http.MethodGet, "/api/v1/me", "", session...).status == http.StatusUnauthorized
	})
}

func TestAudit_TellsWhoDidWhatWithoutSecrets(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada := n.person("ada@example.com", n.roleNamed("Viewer"))
	ada.call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
	n.as("ada@example.com", "wrong").call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusUnauthorized)
	browser := n.browser()
	n.signInAs(browser, "ada@example.com", userPassword)
	n.submit(browser, "/logout", nil)
	ada.call(http.MethodPut, "/api/v1/me/password", `{"current_password":"a guess","new_password":"another one made of snow"}`, "Content-Type", "application/json").expect(t, http.StatusUnprocessableEntity)
	id := n.userID("ada@example.com")
	n.call(http.MethodPatch, "/api/v1/users/"+id, `{"name":"Ada","password":"another one made of snow"}`).expect(t, http.StatusOK)
	n.call(http.MethodPatch, "/api/v1/users/"+id, `{"name":"Ada"}`).expect(t, http.StatusOK) // changes nothing
	n.call(http.MethodDelete, "/api/v1/users/"+id, "").expect(t, http.StatusNoContent)
	var body string
	await(t, func() bool {
		body = string(n.call(http.MethodGet, "/api/v1/audit?subject=users/"+id, "").expect(t, http.StatusOK).body)
		return strings.Count(body, `"sign-in.succeeded"`) == 2 && strings.Count(body, `"sign-in.failed"`) == 2
	})
	for action, times := range map[string]int{"user.created": 1, "user.updated": 1, "user.deleted": 1, "sign-out": 1, "sign-in.failed": 2, "password change": 1} {
		if got := strings.Count(body, `"`+action+`"`); got != times {
			t.Errorf("%s is told %d times: %s", action, got, body)
		}
	}
	for _, secret := range []string{userPassword, "a guess", "made of snow", "argon2", "wrong\"}}"} {
		if strings.Contains(body, secret) {
			t.Errorf("the log tells %s: %s", secret, body)
		}
	}
	if data := n.graphql(`{ audit(first: 1, filter: {actions: ["user.deleted"]}) { nodes { action actorName subject } pageInfo { hasNextPage } } }`, nil); !strings.Contains(string(data), id) {
		t.Errorf("GraphQL: %s", data)
	}
}

func TestThrottle_RefusesGuessesAndNotTheOwner(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ada := n.person("ada@example.com", n.roleNamed("Viewer"))
	ada.call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
	browser := n.browser()
	n.signInAs(browser, "ada@example.com", userPassword)
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		refused := false
		for i := range 12 {
			got := n.as(email, fmt.Sprint("guess ", i)).call(http.MethodGet, "/api/v1/me", "")
			if refused = got.status == http.StatusTooManyRequests; refused {
				if got.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				break
			}
			got.refused(t, email, http.StatusUnauthorized, "UNAUTHENTICATED")
		}
		if !refused {
			t.Errorf("%s: twelve guesses were answered", email)
		}
	}
	// Not the owner: neither by the session, nor by the password, also when nothing is remembered of it.
	n.call(http.MethodGet, "/api/v1/me", "", "Authorization", "", "Cookie", n.cookies(browser)).expect(t, http.StatusOK)
	n.role("Another", account.APIAccess)
	n.call(http.MethodPatch, "/api/v1/roles/"+n.roleNamed("Another"), `{"permissions":[]}`).expect(t, http.StatusOK) // all is forgotten
	ada.call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
}
