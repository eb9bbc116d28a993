package browse

import (
	"fmt"
	"net/http"
	"strings"
)

// noticeCookie carries the result of a form across the redirect to its target.
const noticeCookie = "itemcast_notice"

// What stands in the cookie for a form that changed no value, and for a POST that made nothing.
const (
	nothingChanged = "NOTHING"
	acted          = "ACTED"
)

// notices describe the effect of each method.
var notices = map[string]string{
	nothingChanged: "Nothing has changed", acted: "Done", http.MethodPost: "Created", http.MethodPut: "Replaced",
	http.MethodPatch: "Changed", http.MethodDelete: "Deleted",
}

// leaveNotice sets the cookie for the next page.
func (p *Pages) leaveNotice(w http.ResponseWriter, ex exchange) {
	did := ex.sent.Method
	if etag := ex.sent.ETag(); etag != "" && ex.answer.header.Get("ETag") == etag {
		did = nothingChanged
	} else if did == http.MethodPost && ex.answer.status != http.StatusCreated {
		did = acted
	}
	p.setNotice(w, fmt.Sprintf("%s-%d", did, ex.answer.status), 60)
}

// takeNotice returns the notice of the page before, and removes the cookie.
func (p *Pages) takeNotice(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	p.setNotice(w, "", -1)
	did, status, _ := strings.Cut(cookie.Value, "-")
	var code int
	if _, err := fmt.Sscan(status, &code); err != nil || notices[did] == "" || http.StatusText(code) == "" {
		return ""
	}
	method := did
	switch did {
	case nothingChanged:
		return notices[did] + "."
	case acted:
		method = http.MethodPost
	}
	return fmt.Sprintf("%s: %s answered %d %s.", notices[did], method, code, http.StatusText(code))
}

func (p *Pages) setNotice(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: noticeCookie, Value: value, Path: p.static[nil].Root, MaxAge: seconds, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}
