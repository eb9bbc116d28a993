package core_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

const tokens = "/api/v1/tokens"

func TestTokens_EveryOperation(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).WantStatus(t, http.StatusCreated)
	made := n.Call(http.MethodPost, tokens, `{"name":" Public page ","permissions":["items.view","api.access"],
		"filter":{"tags":["public"],"metadata":{"year":"1927"}},"origins":["HTTPS://Example.com:443/"],
		"requests_per_minute":60,"expires_at":"2126-01-31T12:00:00+01:00"}`).WantStatus(t, http.StatusCreated)
	path := tokens + "/" + made.Field(t, "id")
	secret := made.Field(t, "secret")
	if made.Header.Get("Location") != n.URL+path || made.Header.Get("ETag") != `"1"` ||
		!regexp.MustCompile(`^ict_[0-9A-Za-z]{36}$`).MatchString(secret) {
		t.Errorf("created %s with %v", made.Body, made.Header)
	}
	want := map[string]string{"name": "Public page", "permissions": "[api.access items.view]",
		"filter": "map[metadata:map[year:1927] tags:[public]]", "origins": "[https://example.com]",
		"requests_per_minute": "60", "expires_at": "2126-01-31T11:00:00.000000Z", "user": nodetest.AdminEmail,
		"user_id": n.UserID(nodetest.AdminEmail), "created_by": n.UserID(nodetest.AdminEmail), "last_used_on": "<nil>",
		"last_used_from": "<nil>", "requests_last_day": "0", "old_secret_until": "<nil>", "revision": "1"}
	for name, got := range map[string]nodetest.Response{"POST": made, "GET": n.Call(http.MethodGet, path, "")} {
		members := got.Object(t)
		for field, value := range want {
			if fmt.Sprint(members[field]) != value {
				t.Errorf("%s: %s is %v, want %s", name, field, members[field], value)
			}
		}
	}

	patched := n.Call(http.MethodPatch, path, `{"filter":{"tags":null,"type":["video"]},"origins":null,
		"requests_per_minute":null,"expires_at":null}`, "If-Match", `"1"`).WantStatus(t, http.StatusOK)
	if got := patched.Object(t); fmt.Sprint(got["filter"]) != "map[metadata:map[year:1927] type:[video]]" ||
		fmt.Sprint(got["origins"]) != "[]" || got["requests_per_minute"] != 600.0 || got["expires_at"] != nil ||
		got["name"] != "Public page" || patched.Header.Get("ETag") != `"2"` {
		t.Errorf("patched %s", patched.Body)
	}
	same := n.Call(http.MethodPatch, path, string(patched.Body)).WantStatus(t, http.StatusOK)
	if same.Header.Get("ETag") != `"2"` {
		t.Errorf("what GET returned, sent back: %s", same.Body)
	}

	rotated := n.Call(http.MethodPost, path+"/rotate", "").WantStatus(t, http.StatusOK)
	until, err := time.Parse(time.RFC3339, rotated.Field(t, "old_secret_until"))
	if err != nil || time.Until(until) < 23*time.Hour || time.Until(until) > 24*time.Hour {
		t.Errorf("rotated %s", rotated.Body)
	}
	if got := n.Call(http.MethodGet, path, "").Object(t); got["old_secret_until"] != rotated.Object(t)["old_secret_until"] {
		t.Errorf("after the rotation: %v", got)
	}
	revoked := n.Call(http.MethodPost, path+"/rotate", `{"revoke":true}`).WantStatus(t, http.StatusOK)
	if revoked.Object(t)["old_secret_until"] != nil ||
		n.Call(http.MethodGet, path, "").Object(t)["old_secret_until"] != nil {
		t.Errorf("rotated without the old secret: %s", revoked.Body)
	}

	list := n.Call(http.MethodGet, tokens, "").WantStatus(t, http.StatusOK)
	if got := list.Results(t); len(got) != 1 || got[0]["id"] != nodetest.PathID(path) || got[0]["revision"] != 4.0 {
		t.Errorf("the list has %s", list.Body)
	}
	for _, got := range []nodetest.Response{patched, list, n.Call(http.MethodGet, path, ""),
		n.Call(http.MethodGet, "/api/v1/audit", "")} {
		if strings.Contains(string(got.Body), "ict_") {
			t.Errorf("a secret is shown again: %s", got.Body)
		}
	}
	n.Call(http.MethodDelete, path, "", "If-Match", `"3"`).
		WantProblem(t, "an old revision", http.StatusPreconditionFailed, "REVISION_MISMATCH")
	n.Call(http.MethodDelete, path, "", "If-Match", `"4"`).WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodGet, path, "").WantProblem(t, "a revoked token", http.StatusNotFound, "NOT_FOUND")
}

func TestTokens_TheAuditLogHasOldAndNewSettings(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path := tokens + "/" + n.Call(http.MethodPost, tokens, `{"name":"a","permissions":["items.view"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPatch, path, `{"name":"b","filter":{"tags":["x"]}}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, path, `{"name":"b"}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPost, path+"/rotate", `{"revoke":true}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)
	entries := n.Call(http.MethodGet, "/api/v1/audit?subject=tokens/"+nodetest.PathID(path), "").
		WantStatus(t, http.StatusOK).Results(t)
	var got []string
	for _, e := range entries {
		detail, _ := json.Marshal(e["detail"])
		got = append(got, fmt.Sprint(e["action"], " ", string(detail)))
	}
	slices.Reverse(got)
	want := []string{
		`token.created {"expires_at":null,"filter":null,"name":"a","origins":[],"permissions":["items.view"],` +
			`"requests_per_minute":600,"user":"` + nodetest.AdminEmail + `"}`,
		`token.updated {"filter":[null,{"tags":["x"]}],"name":["a","b"]}`,
		`token.rotated {"revoked":true}`,
		`token.revoked {"name":"b","user":"` + nodetest.AdminEmail + `"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTokens_FaultsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer := n.CreateUser("viewer@example.com", n.RoleID("Viewer"))
	token := func(members string) string { return `{"name":"a","permissions":["items.view"],` + members + `}` }
	for body, want := range map[string]string{
		`{"permissions":["items.view"]}`:                           "400 #/name",
		`{"name":"a","permissions":["items.fly"]}`:                 "400 #/permissions/0",
		`{"name":" ","permissions":["items.view"]}`:                "400 #/name",
		`{"name":"a","permissions":[]}`:                            "400 #/permissions",
		`{"name":"a","permissions":["items.view","hooks.manage"]}`: "422 #/permissions/1",
		token(`"filter":{}`):                                       "400 #/filter",
		token(`"filter":{"tags":[]}`):                              "400 #/filter/tags",
		token(`"filter":{"metadata":{"year":"1927"}}`):             "400 #/filter/metadata/year",
		token(`"origins":["example.com"]`):                         "400 #/origins/0",
		token(`"origins":["https://*.example.com"]`):               "400 #/origins/0",
		token(`"origins":["https://example.com/page"]`):            "400 #/origins/0",
		token(`"origins":["https://a.example","null"]`):            "400 #/origins/1",
		token(`"requests_per_minute":0`):                           "400 #/requests_per_minute",
		token(`"expires_at":"2020-01-01T00:00:00Z"`):               "422 #/expires_at",
		token(`"expires_at":"tomorrow"`):                           "400 #/expires_at",
		token(`"secret":"ict_mine"`):                               "400 #/secret",
	} {
		got := viewer.Call(http.MethodPost, tokens, body)
		if places := strings.Join(append([]string{fmt.Sprint(got.Status)}, got.FaultPlaces(t)...), " "); places != want {
			t.Errorf("%s: got %s, want %s", body, got.Body, want)
		}
	}
	for _, permission := range []account.Permission{account.HooksManage, account.UsersManage, account.WorkflowsManage} {
		n.Call(http.MethodPost, tokens, `{"name":"a","permissions":["`+string(permission)+`"],"filter":{"tags":["a"]}}`).
			WantProblem(t, string(permission), http.StatusUnprocessableEntity, "RULE_VIOLATED")
	}
	n.Call(http.MethodPost, tokens, token(`"user_id":"01890a5d-ac96-774b-bcce-b302099a8057"`)).
		WantProblem(t, "no user", http.StatusUnprocessableEntity, "RULE_VIOLATED")
}

// What the user has lost may stay in the token's settings, where it has no effect. It cannot be added again.
func TestTokens_APermissionThatTheUserLostStaysWithoutEffect(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	role := n.CreateRole("Hooks", account.APIAccess, account.ItemsView, account.HooksManage)
	user := n.CreateUser("ada@example.com", role)
	path := tokens + "/" + user.Call(http.MethodPost, tokens, `{"name":"a","permissions":["items.view","hooks.manage"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPatch, "/api/v1/roles/"+role, `{"permissions":["api.access","items.view"]}`).
		WantStatus(t, http.StatusOK)
	user.Call(http.MethodPatch, path, `{"name":"b"}`).WantStatus(t, http.StatusOK)
	user.Call(http.MethodPatch, path, `{"permissions":["items.view"]}`).WantStatus(t, http.StatusOK)
	user.Call(http.MethodPatch, path, `{"permissions":["items.view","hooks.manage"]}`).
		WantProblem(t, "a lost permission", http.StatusUnprocessableEntity, "RULE_VIOLATED")
}

func TestTokens_AFilterOfADeletedFieldStaysUntilItIsChanged(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	field := n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	path := tokens + "/" + n.Call(http.MethodPost, tokens,
		`{"name":"a","permissions":["items.view"],"filter":{"metadata":{"year":"1927"}}}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodDelete, "/api/v1/metadata-fields/"+field, "").WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodPatch, path, `{"name":"b"}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, path, `{"filter":{"tags":["a"]}}`).
		WantProblem(t, "another filter with the field", http.StatusBadRequest, "INVALID_INPUT")
	n.Call(http.MethodPatch, path, `{"filter":{"tags":["a"],"metadata":null}}`).WantStatus(t, http.StatusOK)
}

func TestTokens_OriginsAreStoredAsBrowsersSendThem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, tokens, `{"name":"a","permissions":["items.view"],"origins":["https://Bücher.example/",
		"http://LOCALHOST:80","https://xn--bcher-kva.example","http://[0:0::1]:5173","capacitor://localhost"]}`).
		WantStatus(t, http.StatusCreated)
	want := "[https://xn--bcher-kva.example http://localhost http://[::1]:5173 capacitor://localhost]"
	if got := fmt.Sprint(made.Object(t)["origins"]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTokens_EachUserManagesTheirOwn(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	ada := n.CreateUser("ada@example.com", n.RoleID("Viewer"))
	bob := n.CreateUser("bob@example.com", n.RoleID("Viewer"))
	path := tokens + "/" + ada.Call(http.MethodPost, tokens, `{"name":"a","permissions":["items.view"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	if got := ada.Call(http.MethodGet, tokens, "").Results(t); len(got) != 1 || got[0]["user"] != "ada@example.com" {
		t.Errorf("Ada sees %v", got)
	}
	n.WantNoWrites(func() {
		for _, call := range [][3]string{{"GET", path, ""}, {"PATCH", path, `{"name":"b"}`}, {"DELETE", path, ""},
			{"POST", path + "/rotate", ""}} {
			bob.Call(call[0], call[1], call[2]).WantProblem(t, "another user's token", http.StatusNotFound, "NOT_FOUND")
		}
		for _, list := range []string{tokens, tokens + "?user_id=" + n.UserID("ada@example.com")} {
			if got := bob.Call(http.MethodGet, list, "").WantStatus(t, http.StatusOK).Results(t); len(got) != 0 {
				t.Errorf("Bob sees %v", got)
			}
		}
		bob.Call(http.MethodPost, tokens, `{"name":"a","permissions":["items.view"],"user_id":"`+
			n.UserID("ada@example.com")+`"}`).WantProblem(t, "for another user", http.StatusForbidden, "FORBIDDEN")
	})
}

// A token acts for its user, also where a workflow profile shows items to that user's role only. So who may not set the
// user's password may not make a token either.
func TestTokens_AnAdministratorManagesThoseOfUsersWhosePermissionsTheyHave(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	admin := n.CreateUser("lesser@example.com", n.CreateRole("Lesser", account.APIAccess, account.UsersManage,
		account.ItemsView))
	viewer := n.CreateUser("viewer@example.com", n.RoleID("Viewer"))
	editor, _ := n.CreateEditor("someone")
	create := func(user, permissions string) nodetest.Response {
		return admin.Call(http.MethodPost, tokens,
			`{"name":"a","permissions":[`+permissions+`],"user_id":"`+n.UserID(user)+`"}`)
	}
	made := create("viewer@example.com", `"items.view"`).WantStatus(t, http.StatusCreated)
	if got := made.Object(t); got["user"] != "viewer@example.com" || got["created_by"] != n.UserID("lesser@example.com") {
		t.Errorf("made %s", made.Body)
	}
	create("viewer@example.com", `"users.manage"`).
		WantProblem(t, "a permission that the user lacks", http.StatusUnprocessableEntity, "RULE_VIOLATED")
	path := tokens + "/" + made.Field(t, "id")
	viewer.Call(http.MethodPatch, path, `{"name":"b"}`).WantStatus(t, http.StatusOK)
	admin.Call(http.MethodPatch, path, `{"name":"c"}`).WantStatus(t, http.StatusOK)
	admin.Call(http.MethodPost, path+"/rotate", "").WantStatus(t, http.StatusOK)
	admin.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)

	create("someone@example.com", `"items.view"`).
		WantProblem(t, "a user who may do more", http.StatusForbidden, "FORBIDDEN")
	path = tokens + "/" + editor.Call(http.MethodPost, tokens, `{"name":"a","permissions":["items.view"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.WantNoWrites(func() {
		for _, call := range [][3]string{{"PATCH", path, `{"name":"b"}`}, {"DELETE", path, ""},
			{"POST", path + "/rotate", ""}} {
			admin.Call(call[0], call[1], call[2]).WantProblem(t, call[0], http.StatusForbidden, "FORBIDDEN")
		}
	})
	list := tokens + "?user_id=" + n.UserID("someone@example.com")
	if got := admin.Call(http.MethodGet, list, "").WantStatus(t, http.StatusOK).Results(t); len(got) != 1 {
		t.Errorf("the administrator sees %v", got)
	}
	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)
}

func TestTokens_AUserCanHaveAHundred(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	if _, err := n.Pool.Exec(t.Context(), `INSERT INTO access_token (id, account_id, user_id, name, permissions, digest)
		SELECT gen_random_uuid(), u.account_id, u.id, 'x', '{items.view}', sha256(i::text::bytea)
		FROM app_user u, generate_series(1, 100) i`); err != nil {
		t.Fatal(err)
	}
	body := `{"name":"a","permissions":["items.view"]}`
	n.Call(http.MethodPost, tokens, body).WantProblem(t, "one more", http.StatusConflict, "CONFLICT")
	one := n.Call(http.MethodGet, tokens+"?limit=1", "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodDelete, tokens+"/"+one.Results(t)[0]["id"].(string), "").WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodPost, tokens, body).WantStatus(t, http.StatusCreated)
	seen := map[any]bool{}
	for path := tokens + "?limit=40"; path != ""; {
		got := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
		for _, token := range got.Results(t) {
			seen[token["id"]] = true
		}
		path = ""
		if next := got.Link(t, "next"); next != nil {
			path = next.RequestURI()
		}
	}
	if len(seen) != 100 {
		t.Errorf("the pages have %d tokens", len(seen))
	}
}

func TestTokens_ShowTheirUse(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.Call(http.MethodPost, tokens, `{"name":"a","permissions":["items.view"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	if _, err := n.Pool.Exec(t.Context(), `INSERT INTO access_token_use (token_id, account_id, hour, requests, address)
		SELECT t.id, t.account_id, date_trunc('hour', now()) - make_interval(hours => h), n, a
		FROM access_token t, (VALUES (0, 5, '192.0.2.7'), (2, 7, '192.0.2.8'), (30, 100, '192.0.2.9')) AS v (h, n, a)`,
	); err != nil {
		t.Fatal(err)
	}
	got := n.Call(http.MethodGet, tokens+"/"+id, "").WantStatus(t, http.StatusOK)
	if m := got.Object(t); m["requests_last_day"] != 12.0 || m["last_used_from"] != "192.0.2.7" ||
		!regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(fmt.Sprint(m["last_used_on"])) || got.Header.Get("ETag") != `"1"` {
		t.Errorf("got %s", got.Body)
	}
	n.Call(http.MethodDelete, tokens+"/"+id, "").WantStatus(t, http.StatusNoContent)
	var left int
	if err := n.Pool.QueryRow(t.Context(), "SELECT count(*) FROM access_token_use").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows of use are left: %v", left, err)
	}
}

func TestTokens_GraphQLDoesTheSame(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const fields = `id name user userId permissions filter { tags } origins requestsPerMinute expiresAt oldSecretUntil
		lastUsedOn lastUsedFrom requestsLastDay createdBy createdAt updatedAt revision`
	var made struct {
		CreateAccessToken struct {
			Secret      string
			AccessToken map[string]any
		}
	}
	data := n.GraphQL(`mutation { createAccessToken(input: {name: "a", permissions: ["items.view"], filter: {tags: ["x"]},
		origins: ["https://example.com"], expiresAt: "2126-01-01T00:00:00Z"}) { secret accessToken { `+fields+` } } }`, nil)
	if err := json.Unmarshal(data, &made); err != nil {
		t.Fatal(err)
	}
	token := made.CreateAccessToken.AccessToken
	id := token["id"].(string)
	rest := n.Call(http.MethodGet, tokens+"/"+id, "").WantStatus(t, http.StatusOK).Object(t)
	if len(made.CreateAccessToken.Secret) != 40 || rest["name"] != "a" || fmt.Sprint(rest["filter"]) != "map[tags:[x]]" ||
		fmt.Sprint(token["filter"]) != "map[tags:[x]]" || token["expiresAt"] != rest["expires_at"] {
		t.Errorf("made %s, REST has %v", data, rest)
	}
	for name, value := range map[string]string{"userId": "user_id", "createdBy": "created_by", "user": "user",
		"requestsPerMinute": "requests_per_minute", "updatedAt": "updated_at", "revision": "revision"} {
		if token[name] != rest[value] {
			t.Errorf("%s is %v over GraphQL, %v over REST", name, token[name], rest[value])
		}
	}
	n.GraphQL(`mutation ($id: ID!) { updateAccessToken(id: $id, input: {filter: {types: [VIDEO]}, requestsPerMinute: null,
		name: "b"}, ifRevision: 1) { accessToken { `+fields+` } } }`, nodetest.Vars{"id": id})
	var rotated struct {
		RotateAccessToken struct{ Secret, OldSecretUntil string }
	}
	data = n.GraphQL(`mutation ($id: ID!) { rotateAccessToken(id: $id) { secret oldSecretUntil } }`, nodetest.Vars{"id": id})
	if err := json.Unmarshal(data, &rotated); err != nil || len(rotated.RotateAccessToken.Secret) != 40 ||
		rotated.RotateAccessToken.OldSecretUntil == "" {
		t.Errorf("rotated %s", data)
	}
	data = n.GraphQL(`query ($id: ID!) { accessToken(id: $id) { name filter { tags types } requestsPerMinute }
		node(id: $id) { ... on AccessToken { revision } } accessTokens { nodes { id } pageInfo { hasNextPage } } }`,
		nodetest.Vars{"id": id})
	want := `{"accessToken":{"name":"b","filter":{"tags":null,"types":["VIDEO"]},"requestsPerMinute":600},` +
		`"node":{"revision":3},"accessTokens":{"nodes":[{"id":"` + id + `"}],"pageInfo":{"hasNextPage":false}}}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	for input, place := range map[string]string{`filter: {}`: "INVALID_INPUT", `filter: {tags: []}`: "INVALID_INPUT",
		`permissions: []`: "INVALID_INPUT", `origins: ["*"]`: "INVALID_INPUT", `name: ""`: "INVALID_INPUT"} {
		if got, codes := n.TryGraphQL(`mutation ($id: ID!) { updateAccessToken(id: $id, input: {`+input+`}) { accessToken { id } } }`,
			nodetest.Vars{"id": id}); !slices.Equal(codes, []string{place}) {
			t.Errorf("%s: got %s", input, got.Body)
		}
	}
	n.GraphQL(`mutation ($id: ID!) { revokeAccessToken(id: $id, ifRevision: 3) { id } }`, nodetest.Vars{"id": id})
	if data := n.GraphQL(`query ($id: ID!) { accessToken(id: $id) { id } }`, nodetest.Vars{"id": id}); string(data) !=
		`{"accessToken":null}` {
		t.Errorf("revoked: %s", data)
	}
}
