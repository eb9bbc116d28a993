package oneshot

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"golang.org/x/text/language"

	"itemcast/internal/problem"
)

// pageSource is what a person sees who sends a form, and whose file is not taken. The page of the form has no script to
// say it. It stands alone: it loads nothing, because a stranger's browser may reach this one address only.
//
//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

const pageStyle = `:root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}` +
	`main{max-width:34rem;margin:10vh auto;padding:0 1rem}h1{font-size:1.5rem;line-height:1.25}` +
	`footer{margin-top:3rem;font-size:.875rem;opacity:.8;overflow-wrap:anywhere}`

// pagePolicy is the Content-Security-Policy of the page.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// words are the texts of a language. The advice is for visitors of the form's page, who know nothing of tickets.
type words struct {
	tag, title, again, back string
	advice                  map[problem.Code]string
	otherwise, temporary    string // advice for all other codes
}

var (
	matcher = language.NewMatcher([]language.Tag{language.English, language.German})
	texts   = []words{{ // in the matcher's order
		tag: "en", title: "The file was not taken", again: "Back to the page of the form",
		back: "Go back to the form with the Back button of your browser.",
		advice: map[problem.Code]string{
			problem.TicketExpired: "The form was open for too long. " +
				"Load its page again, and send the file once more.",
			problem.TicketUsed: "The form was sent before. Load its page again to send another file.",
			problem.TooLarge:   "The file is too large. Send a smaller one.",
			problem.QuotaExceeded: "There is no room for the file at the moment. " +
				"Please tell the owner of the form.",
			problem.UnsupportedMediaType: "Files of this kind are not taken here. Choose another one.",
			problem.UploadsDisabled:      "The owner of the form takes no files at the moment.",
			problem.BadRequest:           "No complete file has come. Choose a file, and send the form again.",
			problem.TooManyRequests:      "Too many files come at the moment. Try again in a minute.",
		},
		otherwise: "Please tell the owner of the form what stands below.",
		temporary: "The server cannot take files at the moment. Try again in a few minutes.",
	}, {
		tag: "de", title: "Die Datei wurde nicht angenommen", again: "Zurück zur Seite mit dem Formular",
		back: "Zum Formular kommen Sie mit der Zurück-Taste Ihres Browsers.",
		advice: map[problem.Code]string{
			problem.TicketExpired: "Das Formular war zu lange offen. Laden Sie seine Seite neu, und senden Sie die Datei " +
				"noch einmal.",
			problem.TicketUsed: "Das Formular wurde schon gesendet. " +
				"Laden Sie seine Seite neu, um noch eine Datei zu senden.",
			problem.TooLarge: "Die Datei ist zu groß. Senden Sie eine kleinere.",
			problem.QuotaExceeded: "Für die Datei ist zurzeit kein Platz. " +
				"Bitte sagen Sie es denen, die das Formular anbieten.",
			problem.UnsupportedMediaType: "Dateien dieser Art werden hier nicht angenommen. " +
				"Wählen Sie eine andere.",
			problem.UploadsDisabled: "Wer das Formular anbietet, nimmt zurzeit keine Dateien an.",
			problem.BadRequest: "Es kam keine vollständige Datei. " +
				"Wählen Sie eine, und senden Sie das Formular noch einmal.",
			problem.TooManyRequests: "Zurzeit kommen zu viele Dateien. " +
				"Versuchen Sie es in einer Minute noch einmal.",
		},
		otherwise: "Bitte sagen Sie denen, die das Formular anbieten, was unten steht.",
		temporary: "Der Server kann zurzeit keine Dateien annehmen. Versuchen Sie es in ein paar Minuten noch einmal.",
	}}
)

// writePage answers a form with an error, in the language that its browser prefers.
func writePage(w http.ResponseWriter, r *http.Request, shown *problem.Error) {
	_, index := language.MatchStrings(matcher, r.Header.Get("Accept-Language"))
	in := texts[index]
	advice, known := in.advice[shown.Code]
	switch {
	case known:
	case shown.Code.IsTemporary():
		advice = in.temporary
	default:
		advice = in.otherwise
	}
	view := struct {
		Tag, Title, Advice, Back, BackText, Detail, Code string
		Style                                            template.CSS
	}{in.tag, in.title, advice, formPage(r), in.back, shown.Detail, string(shown.Code), pageStyle}
	if view.Back != "" {
		view.BackText = in.again
	}
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, view); err != nil {
		panic(err) // the template is constant, and a test renders it
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", in.tag)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept, Accept-Language")
	if shown.Code.IsTemporary() {
		h.Set("Retry-After", shown.RetrySeconds())
	}
	w.WriteHeader(shown.Code.Status())
	_, _ = w.Write(body.Bytes()) // fails when the client is gone
}

// formPage returns the address of the page with the form; "" if the browser does not tell it. By default it tells other
// servers only the origin, which is no address of a form (W3C Referrer Policy, "strict-origin-when-cross-origin").
func formPage(r *http.Request) string {
	page, err := url.Parse(r.Referer())
	if err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Path == "" || page.Path == "/" {
		return ""
	}
	return page.String()
}
