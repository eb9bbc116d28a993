package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"itemcast/internal/web/text"
)

// notice is what a page reports at its top, once, after a form has led to it. A cookie carries the key of its text and
// the arguments: the browser holds them until it has loaded the page, whichever node that is.
type notice struct {
	Key       string `json:"k"`
	Count     *int   `json:"n,omitempty"` // of a text that depends on a number
	Arguments []any  `json:"a,omitempty"`
	Detail    string `json:"d,omitempty"` // a sentence that a service has written
	IsProblem bool   `json:"p,omitempty"`
	Undo      *undo  `json:"u,omitempty"` // nil: it cannot be undone
}

// shownNotice is a notice in the page's language.
type shownNotice struct {
	Text      string
	Detail    string
	IsProblem bool
	Undo      *shownUndo
}

const (
	noticeCookie   = "itemcast_notice"
	maxNotice      = 3000 // bytes; browsers store 4096 for a cookie
	noticeLifetime = 60   // seconds
)

// done returns the notice of a success.
func done(key string, arguments ...any) notice { return notice{Key: key, Arguments: arguments} }

// problemNotice returns the notice of a failure that a service explains.
func (c *call) problemNotice(err error) notice {
	return notice{Key: "notice.failed", Detail: c.pages.Explain(c.Request, err).Detail, IsProblem: true}
}

func (n notice) set(c *call) {
	raw, err := json.Marshal(n)
	if err == nil && len(raw) > maxNotice {
		n.Arguments, n.Detail, n.Undo = nil, "", nil
		raw, err = json.Marshal(n)
	}
	if err != nil {
		return // only for arguments that JSON lacks, and those are constant
	}
	c.setCookie(noticeCookie, base64.RawURLEncoding.EncodeToString(raw), noticeLifetime)
}

// takeNotice returns the notice of a request, and makes the browser forget it. A fragment is not where people look.
func takeNotice(c *call) *shownNotice {
	cookie, err := c.Cookie(noticeCookie)
	if err != nil || c.isFragment() {
		return nil
	}
	c.setCookie(noticeCookie, "", -1)
	raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return nil
	}
	var n notice
	if json.Unmarshal(raw, &n) != nil {
		return nil
	}
	shown := n.in(c.text)
	if shown != nil && n.Undo != nil {
		shown.Undo = &shownUndo{Action: c.itemsPath(), Back: c.URL.RequestURI(), Value: string(mustJSON(n.Undo))}
	}
	return shown
}

// in returns the notice in a language; nil for a key that does not exist.
func (n notice) in(l *text.Language) *shownNotice {
	shown := &shownNotice{Detail: n.Detail, IsProblem: n.IsProblem}
	switch {
	case n.Count != nil && l.Has(n.Key+".other"):
		shown.Text = l.Count(n.Key, *n.Count, n.Arguments...)
	case n.Count == nil && l.Has(n.Key):
		shown.Text = l.Get(n.Key, n.Arguments...)
	default:
		return nil
	}
	return shown
}

// setCookie sets a cookie of the pages; seconds below 0 delete it. The last one of a name counts.
func (c *call) setCookie(name, value string, seconds int) {
	http.SetCookie(c.w, &http.Cookie{Name: name, Value: value, Path: c.pages.root, MaxAge: seconds, HttpOnly: true,
		Secure: c.pages.isSecure, SameSite: http.SameSiteLaxMode})
}
