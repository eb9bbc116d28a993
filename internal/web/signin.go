package web

import (
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

// SignIn is what the pages of signing in know and do; others do it for them.
type SignIn struct {
	Who       func(*http.Request) string // the e-mail address of who is signed in; "": nobody is
	Open      func(w http.ResponseWriter, r *http.Request, email, password string) error
	Close     func(w http.ResponseWriter, r *http.Request, everywhere bool) error
	ResetUser func(ctx context.Context, token string) (email string, err error)
	Reset     func(ctx context.Context, token, password string) error
	Explain   func(error) (status int, message string)
}

// maxForm is how large a form may be, in bytes.
const maxForm = 16 << 10

// The forms go to this server and nowhere else, and there is no script at all.
const formPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// signInData is what the page login.html shows.
type signInData struct {
	Who     string // is signed in
	Email   string // that was given
	Next    string // where to go then
	Message string // what went wrong
	Done    string // what has been done
}

// Login serves the form, and signs in who sends it. The parameter next says where to go then, on this server only.
func Login(s SignIn) http.Handler { return newLogin(built(), s) }

func newLogin(files fs.FS, s SignIn) http.Handler {
	shown := newForm(files, "login")
	return forms(func(w http.ResponseWriter, r *http.Request) {
		data := signInData{Who: s.Who(r), Next: localPath(r.URL.Query().Get("next"))}
		if r.URL.Query().Has("reset") {
			data.Done = "Your new password is set. Sign in with it."
		}
		shown.write(w, r, http.StatusOK, data)
	}, func(w http.ResponseWriter, r *http.Request) {
		data := signInData{Email: strings.TrimSpace(r.PostForm.Get("email")), Next: localPath(r.PostForm.Get("next"))}
		if err := s.Open(w, r, data.Email, r.PostForm.Get("password")); err != nil {
			var status int
			status, data.Message = s.Explain(err)
			shown.write(w, r, status, data)
			return
		}
		redirect(w, r, data.Next)
	})
}

// Logout signs out, by a form's POST only: in every browser of the user when the form has everywhere=1.
func Logout(s SignIn) http.Handler {
	return forms(func(w http.ResponseWriter, r *http.Request) { redirect(w, r, "/login") }, func(w http.ResponseWriter, r *http.Request) {
		if err := s.Close(w, r, r.PostForm.Get("everywhere") == "1"); err != nil {
			status, message := s.Explain(err)
			http.Error(w, message, status)
			return
		}
		redirect(w, r, "/login")
	})
}

// resetData is what the page reset.html shows.
type resetData struct {
	Token   string
	Email   string // whose password is set; "": the link works no more
	Message string // what went wrong
}

// Reset serves the page that a reset link leads to, and sets the password. To look at it uses nothing up: programs that read e-mail do so.
func Reset(s SignIn) http.Handler { return newReset(built(), s) }

func newReset(files fs.FS, s SignIn) http.Handler {
	shown := newForm(files, "reset")
	show := func(w http.ResponseWriter, r *http.Request, token string, failed error) {
		data, status := resetData{Token: token}, http.StatusOK
		email, err := s.ResetUser(r.Context(), token)
		data.Email = email
		if err == nil {
			err = failed
		}
		if err != nil {
			status, data.Message = s.Explain(err)
		}
		shown.write(w, r, status, data)
	}
	return forms(func(w http.ResponseWriter, r *http.Request) { show(w, r, r.URL.Query().Get("token"), nil) },
		func(w http.ResponseWriter, r *http.Request) {
			token := r.PostForm.Get("token")
			if err := s.Reset(r.Context(), token, r.PostForm.Get("password")); err != nil {
				show(w, r, token, err)
				return
			}
			redirect(w, r, "/login?reset")
		})
}

// forms shows a page to who reads it and takes its form; a browser's cross-origin POSTs get no further than package server.
func forms(get, post http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			get(w, r)
		case http.MethodPost:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil {
				http.Error(w, "this is no form that was sent in full", http.StatusBadRequest)
				return
			}
			post(w, r)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "this page is read, and its form is sent", http.StatusMethodNotAllowed)
		}
	})
}

func redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// localPath is the path of a URL on this server; "/" of anything else. Browsers take \ for /, pass over control characters, and take //x for
// another host.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }) {
		return "/"
	}
	return next
}
