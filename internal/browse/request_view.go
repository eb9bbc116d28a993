package browse

import (
	"net/http"
	"strings"
)

// requestView is a request to the API, shown so that people can send it themselves.
type requestView struct {
	Method, Target string
	Headers        []headerView
	Body           string
	Curl           string
}

// maxShownRequest is how many bytes of a request's body a page shows.
const maxShownRequest = 64 << 10

// requestView describes a request.
func (p *Pages) requestView(ex exchange) requestView {
	v := requestView{Method: ex.request.Method, Target: ex.request.URL.RequestURI()}
	var options []string
	switch {
	case ex.user.Token != nil:
		options = append(options, `-H "authorization: Bearer $TOKEN"`)
	case ex.user.known:
		options = append(options, "-u "+shellQuote(ex.user.Email))
	}
	if v.Method != http.MethodGet {
		options = append(options, "-X "+v.Method)
	}
	if ex.sent != nil {
		options = append(options, v.addHeaders(ex.request.Header)...)
		if len(ex.sent.Body) > 0 {
			options = append(options, v.addBody(ex.sent.MaskedBody()))
		}
	}
	separator := " "
	if len(options) > 1 {
		separator = " \\\n  "
	}
	v.Curl = "curl " + strings.Join(append(options, shellQuote(p.links.origin+v.Target)), separator)
	return v
}

// addHeaders adds the headers of a form's request, and returns their options for curl. The idempotency key is not among
// the options: with it, a second request would get this one's answer.
func (v *requestView) addHeaders(header http.Header) []string {
	var options []string
	for _, name := range []string{"Content-Type", "If-Match", "Idempotency-Key"} {
		value := header.Get(name)
		if value == "" {
			continue
		}
		v.Headers = append(v.Headers, headerView{name, textHTML([]byte(value))})
		if name != "Idempotency-Key" {
			options = append(options, "-H "+shellQuote(strings.ToLower(name)+": "+value))
		}
	}
	return options
}

// addBody adds a body, and returns its option for curl.
func (v *requestView) addBody(body []byte) string {
	if v.Body = string(body); len(body) <= maxShownRequest {
		return "--data-binary " + shellQuote(v.Body)
	}
	v.Body = strings.ToValidUTF8(v.Body[:maxShownRequest], "") + "…"
	return "--data-binary @BODY"
}

// shellQuote quotes a word for a POSIX shell.
func shellQuote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
