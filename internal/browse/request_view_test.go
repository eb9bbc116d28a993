package browse_test

import (
	"html"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestCurl_SurvivesTheShell(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusConflict, `{}`))
	const text = `{"name": "it's $(id) ` + "`id`" + ` \"\\ !"}`
	const mediaType = "application/merge-patch+json"
	p := s.post("/api/t/things/1", url.Values{
		"_method": {"PATCH"}, "_content": {text}, "_content_type": {mediaType}, "_etag": {`"3"`},
	})
	_, rest, _ := strings.Cut(p.text, `<pre id="curl" tabindex="0">`)
	shown, _, _ := strings.Cut(rest, "</pre>")
	script := `curl() { printf '%s\n' "$@"; }; ` + html.UnescapeString(shown)
	out, err := exec.CommandContext(t.Context(), "sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	want := []string{
		"-u", "ann@example.com", "-X", "PATCH", "-H", "content-type: " + mediaType, "-H", `if-match: "3"`,
		"--data-binary", text, publicURL + "/api/t/things/1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
