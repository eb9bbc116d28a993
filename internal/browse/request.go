package browse

import (
	"net/http"
	"strings"
)

// request is what the API was asked, for people to ask it again.
type request struct {
	Method, Target string
	Headers        []headerView
	Body           string
	Curl           string
}

// mostEchoed is how much of a request's body a page shows.
const mostEchoed = 64 << 10

// request describes a request of the API, sent by hand.
func (p *pages) request(r *http.Request, v *visit, s *submission) request {
	shown := request{Method: r.Method, Target: r.URL.RequestURI()}
	var options []string
	if r.Method != http.MethodGet {
		options = append(options, "-X "+r.Method)
	}
	for _, name := range []string{"Content-Type", "If-Match", "Idempotency-Key"} {
		if value := r.Header.Get(name); value != "" && s != nil {
			shown.Headers = append(shown.Headers, headerView{name, textHTML([]byte(value))})
			if name == "Idempotency-Key" { // spent: whoever sends it again means another thing
				continue
			}
			options = append(options, "-H "+shellQuote(strings.ToLower(name)+": "+value))
		}
	}
	if s != nil && len(s.body) > 0 {
		if shown.Body = string(s.masked()); len(shown.Body) <= mostEchoed {
			options = append(options, "--data-binary "+shellQuote(shown.Body))
		} else {
			shown.Body = strings.ToValidUTF8(shown.Body[:mostEchoed], "") + "…"
			options = append(options, "--data-binary @BODY")
		}
	}
	if v.known {
		options = append([]string{"-u " + shellQuote(v.actor.Email)}, options...)
	}
	target := p.links.origin + shown.Target
	shown.Curl = "curl " + strings.Join(append(options, shellQuote(target)), " \\\n  ")
	if len(options) < 2 {
		shown.Curl = "curl " + strings.Join(append(options, shellQuote(target)), " ")
	}
	return shown
}

// masked is the body without what is for nobody's eyes.
func (s *submission) masked() []byte {
	if s.op == nil {
		return s.body
	}
	var secret []string
	for _, b := range s.op.bodies {
		for i := range b.fields {
			if f := &b.fields[i]; f.Kind == kindSecret {
				secret = append(secret, f.Name)
			}
		}
	}
	if len(secret) == 0 {
		return s.body
	}
	parsed, err := parse(s.body)
	body, ok := parsed.(*object)
	if err != nil || !ok {
		return []byte("…")
	}
	shown := s.body
	for _, name := range secret {
		if body.has(name) {
			body.set(name, "…")
			shown = []byte(inWords(body))
		}
	}
	return shown
}

// shellQuote writes a word for a POSIX shell.
func shellQuote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
