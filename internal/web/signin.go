package web

import (
	"context"
	"io/fs"
	"net/http"
	"strings"
)

// Sessions are the functions that the sign-in pages call. Package server implements them.
type Sessions struct {
	User          func(*http.Request) string // e-mail address of the browser's user; "" when nobody is signed in
	SignIn        func(w http.ResponseWriter, r *http.Request, email, password string) error
	SignOut       func(w http.ResponseWriter, r *http.Request, everywhere bool) error
	ResetUser     func(ctx context.Context, token string) (email string, err error)
	ResetPassword func(ctx context.Context, token, password string) error
	Explain       func(error) (status int, message string)
}

// loginData is what the page login.html shows.
type loginData struct {
	Root    string // see view
	User    string // e-mail address; "" when nobody is signed in
	Email   string // as typed
	Next    string // the address after the sign-in
	Message string // why the sign-in failed
	Done    string // a success to report
}

func newLogin(files fs.FS, publicURL string, s Sessions) http.Handler {
	root := rootOf(publicURL)
	login := newPage(files, publicURL, "login", "form", formPolicy)
	return formPage(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		data := loginData{Root: root, User: s.User(r), Next: localPath(query.Get("next"), root)}
		if query.Has("reset") {
			data.Done = "Your new password is set. Sign in with it."
		}
		login.writeForUser(w, r, http.StatusOK, data)
	}, func(w http.ResponseWriter, r *http.Request) {
		data := loginData{
			Root: root, Email: strings.TrimSpace(r.PostForm.Get("email")), Next: localPath(r.PostForm.Get("next"), root),
		}
		if err := s.SignIn(w, r, data.Email, r.PostForm.Get("password")); err != nil {
			var status int
			status, data.Message = s.Explain(err)
			login.writeForUser(w, r, status, data)
			return
		}
		redirect(w, r, data.Next)
	})
}

// Logout signs out, by a form's POST only: with everywhere=1, in every browser of the user.
func Logout(publicURL string, s Sessions) http.Handler {
	login := rootOf(publicURL) + "login"
	return formPage(func(w http.ResponseWriter, r *http.Request) {
		redirect(w, r, login)
	}, func(w http.ResponseWriter, r *http.Request) {
		if err := s.SignOut(w, r, r.PostForm.Get("everywhere") == "1"); err != nil {
			status, message := s.Explain(err)
			http.Error(w, message, status)
			return
		}
		redirect(w, r, login)
	})
}

// resetData is what the page reset.html shows.
type resetData struct {
	Root    string // see view
	Token   string
	Email   string // of the user whose password is set; "" when the link is no longer valid
	Message string // why the link or the password is refused
}

func newReset(files fs.FS, publicURL string, s Sessions) http.Handler {
	reset := newPage(files, publicURL, "reset", "form", formPolicy)
	show := func(w http.ResponseWriter, r *http.Request, token string, failed error) {
		data, status := resetData{Root: rootOf(publicURL), Token: token}, http.StatusOK
		email, err := s.ResetUser(r.Context(), token)
		data.Email = email
		if err == nil {
			err = failed
		}
		if err != nil {
			status, data.Message = s.Explain(err)
		}
		reset.writeForUser(w, r, status, data)
	}
	return formPage(func(w http.ResponseWriter, r *http.Request) {
		show(w, r, r.URL.Query().Get("token"), nil)
	}, func(w http.ResponseWriter, r *http.Request) {
		token := r.PostForm.Get("token")
		if err := s.ResetPassword(r.Context(), token, r.PostForm.Get("password")); err != nil {
			show(w, r, token, err)
			return
		}
		redirect(w, r, rootOf(publicURL)+"login?reset")
	})
}
