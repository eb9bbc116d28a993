package browse

import (
	"fmt"
	"net/http"
	"strings"
)

// noticeCookie carries over a redirect what has been done.
const noticeCookie = "itemcast_notice"

// nothing is done by a form that says what there is already.
const nothing = "NOTHING"

var done = map[string]string{nothing: "Nothing has changed", http.MethodPost: "Created", http.MethodPut: "Replaced", http.MethodPatch: "Changed", http.MethodDelete: "Deleted"}

func leaveNotice(w http.ResponseWriter, s *submission, rec *record) {
	done := s.method
	if etag := s.form.Get(etagName); etag != "" && rec.header.Get("ETag") == etag {
		done = nothing
	}
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Value: fmt.Sprintf("%s-%d", done, rec.status), Path: "/", MaxAge: 60, HttpOnly: true,
		SameSite: http.SameSiteLaxMode})
}

func takeNotice(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	method, status, _ := strings.Cut(cookie.Value, "-")
	var code int
	if _, err := fmt.Sscan(status, &code); err != nil || done[method] == "" || http.StatusText(code) == "" {
		return ""
	}
	if method == nothing {
		return done[method] + "."
	}
	return fmt.Sprintf("%s: %s answered %d %s.", done[method], method, code, http.StatusText(code))
}
