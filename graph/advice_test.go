package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

func TestGraphQLInput_AWrongPermissionOrIdSaysWhatIsRight(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	names := strings.Join(account.All().Strings(), ", ")
	for query, want := range map[string]string{
		`mutation { createAccessToken(input: {name: "a", permissions: ["item.view"]}) { secret } }`: "must be one of " + names,
		`mutation { createRole(input: {name: "a", permissions: ["item.view"]}) { role { id } } }`:   "must be one of " + names,
		`{ accessToken(id: "x") { id } }`: "accessToken.id must be an id (UUID), as lists and created objects have it.",
		`{ accessToken(id: 7) { id } }`:   "must be an id (UUID)",
	} {
		got, codes := n.TryGraphQL(query, nil)
		if len(codes) != 1 || codes[0] != "INVALID_INPUT" || !strings.Contains(string(got.Body), want) {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
	inputs := `{"query":"{ a: __type(name: \"CreateRoleInput\") { ...f } b: __type(name: \"CreateAccessTokenInput\") { ...f } } ` +
		`fragment f on __Type { inputFields { description } }"}`
	schema := string(n.Call(http.MethodPost, "/graphql", inputs).Body)
	for _, permission := range account.All() {
		if strings.Count(schema, "`"+string(permission)+"`") < 2 {
			t.Errorf("the schema does not name %s", permission)
		}
	}
}
