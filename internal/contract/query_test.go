package contract_test

import (
	"strings"
	"testing"

	"itemcast/internal/problem"
)

func TestGuard_ReportsTheFaultsOfParameters(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for query, want := range map[string]string{
		"": "", "limit=200&sort=-name&count=true&ratio=1.5&search=a%20b": "", "tags=a,b": "", "tags=a%2Cb&tags=a%2C%20b,c": "", "metadata.x=1&metadata.y=": "",
		"since=2026-01-31T12:00:00Z": "", "since=2026-01-31T12:00:00.123456%2B02:00": "", "kind=video,audio": "", "&&limit=1&": "",
		"limit=0":                        "limit must be at least 1\n",
		"limit=201":                      "limit must be at most 200\n",
		"limit=abc":                      "limit must be a whole number\n",
		"limit=":                         "limit must be a whole number\n",
		"limit":                          "limit must be a whole number\n",
		"limit=%201":                     "limit must be a whole number\n",
		"limit=%2B1":                     "limit must be a whole number\n",
		"limit=1.0":                      "limit must be a whole number, in digits only\n",
		"limit=1e999999999":              "limit must be a whole number\n",
		"limit=1e2":                      "limit must be a whole number, in digits only\n",
		"limit=null":                     "limit must be a whole number\n",
		"limit=1&limit=2":                "limit must be given only once\n",
		"sort=id":                        "sort must be one of name, -name\n",
		"since=yesterday":                "since must be a date and time such as 2026-01-31T12:00:00Z\n",
		"since=2026-01-31":               "since must be a date and time such as 2026-01-31T12:00:00Z\n",
		"count=1":                        "count must be true or false\n",
		"ratio=2":                        "ratio must be at most 1.5\n",
		"ratio=NaN":                      "ratio must be a number\n",
		"search=":                        "search must not be empty\n",
		"search=12345678901":             "search must have at most 10 characters\n",
		"search=éééééééééé":              "",
		"search=%ff":                     "search must be valid UTF-8\n",
		"search=a%00b":                   "search must not contain the character U+0000\n",
		"search=%zz":                     "search has a malformed %-escape\n",
		"search=%":                       "search has a malformed %-escape\n",
		"search=a;b":                     "search must have semicolons escaped as %3B\n",
		"%zz=1":                          "%zz has a malformed %-escape in its name\n",
		"%00=1":                          "\uFFFD must not contain the character U+0000\n",
		"%ff=1":                          "\uFFFD must be valid UTF-8\n",
		"tags=":                          "tags each value must not be empty\n",
		"tags=a,,b":                      "tags each value must not be empty\n",
		"tags=a,b,c,d":                   "tags must have at most 3 entries\n",
		"tags=a,toolong,longest,x":       "tags must have at most 3 entries\ntags each value must have at most 5 characters\n",
		"kind=video,image":               "kind each value must be one of video, audio\n",
		"kind=video%2Caudio":             "kind each value must be one of video, audio; separate values with a bare comma, not with %2C\n",
		"tags=%zz,a":                     "tags has a malformed %-escape\n",
		"metadata.x=toolong":             "metadata.x must have at most 5 characters\n",
		"metadata.x=1&metadata.x=":       "metadata.x must be given only once\n",
		"metadata.=1":                    "metadata. unknown parameter\n",
		"metadata[x]=1&metadata%5By%5D=": "", "metadata[x]=toolong": "metadata.x must have at most 5 characters\n",
		"metadata[x]=1&metadata.x=1": "metadata.x must be given only once\n", "metadata=1": "metadata unknown parameter\n",
		"metadata[]=1": "metadata. unknown parameter\n", "metadata[x=1": "metadata[x unknown parameter\n",
		"Limit=1":             "Limit unknown parameter; did you mean limit?\n",
		"foo=1&bar=2&limit=x": "foo unknown parameter\nbar unknown parameter\nlimit must be a whole number\n",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, "GET", "/api/t/things?"+query, "")
			code := problem.InvalidInput
			if want == "" {
				code = ""
			}
			if got.faults() != want || got.Code != code {
				t.Errorf("got %s\nwant %s", got.Body, want)
			}
		})
	}
	tooMany := "/api/t/things?" + strings.Repeat("metadata.x=1&", 500)
	if got := ask(t, server, "GET", tooMany, ""); got.Code != "BAD_REQUEST" {
		t.Errorf("too many parameters: %s", got.Body)
	}
}

func TestGuard_DividesArraysBeforeItDecodesThem(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"tags=a&limit=3&tags=b%20c,d":      "limit=3&tags=a&tags=b+c&tags=d",
		"tags=a%2Cb":                       "tags=a%2Cb",
		"metadata%5Bx%5D=1&metadata[y]=2":  "metadata.x=1&metadata.y=2",
		"tags=a%2Cb,c&search=x,y":          "search=x%2Cy&tags=a%2Cb&tags=c",
		"tags=a%2Cb&kind=audio&tags=%2C,x": "kind=audio&tags=a%2Cb&tags=%2C&tags=x",
	} {
		got := ask(t, setup(t), "GET", "/api/t/things?"+query, "")
		if got := got.Header().Get("Query"); got != want {
			t.Errorf("%s: the handler received %s", query, got)
		}
	}
}
