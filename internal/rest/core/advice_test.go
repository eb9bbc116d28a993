package core_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestInput_AFaultSaysWhatTheContractHasInstead(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, c := range []struct{ method, path, body, want string }{
		{http.MethodGet, "items?tag=public", "", `"tag","detail":"unknown parameter; did you mean tags?"`},
		{http.MethodGet, "items?metadate.year=1", "", `unknown parameter; did you mean metadata.year?`},
		{http.MethodGet, "items?zzz=1", "", `"zzz","detail":"unknown parameter"`},
		{http.MethodPost, "tokens", `{"name":"a","permissions":["items.view"],"filter":{"tag":["public"]}}`,
			`"#/filter/tag","detail":"unknown field; did you mean tags?"`},
		{http.MethodPost, "items", `{"nmae":"a"}`, `(and 1 more; see errors)`},
		{http.MethodPost, "items", `{"name":"a","zzz":1}`, `"#/zzz","detail":"unknown field"`},
		{http.MethodPost, "items", `{"name":"a","assets":[{"url":"https://a.example/"}]}`,
			`"#/assets/0/kind","detail":"is required: one of source, `},
		{http.MethodPost, "metadata-fields", `{"key":"director","type":"string"}`,
			`"#/kind","detail":"is required: one of text, number, bool`},
	} {
		got := n.Call(c.method, "/api/v1/"+c.path, c.body)
		if got.Status < 400 || !strings.Contains(string(got.Body), c.want) {
			t.Errorf("%s: %d %s", c.want, got.Status, got.Body)
		}
	}
}
