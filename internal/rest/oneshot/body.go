package oneshot

import (
	"cmp"
	"net/http"

	"itemcast/internal/problem"
	"itemcast/internal/rest/incoming"
	"itemcast/internal/upload"
)

// fieldsLimit is what a request may send before its ticket has been checked: a ticket, and lines around it.
const fieldsLimit = 256 << 10 // bytes

// body is a body with a limit. Until its ticket has been admitted, it may not be slow.
type body struct {
	*incoming.Body
	limit    int64 // bytes
	tooLarge error // when there are more
	read     int64
}

func newBody(w http.ResponseWriter, r *http.Request) *body {
	return &body{Body: incoming.New(w, r), limit: fieldsLimit,
		tooLarge: problem.New(problem.TooLarge, "The form has more than %d bytes before its first file. Only the ticket's "+
			"fields may come before the files.",
			fieldsLimit)}
}

// admit lets the rest of the body come, for as long as it moves. filesLimit is that of all files together.
func (b *body) admit(filesLimit int64) {
	b.Waits = true
	b.limit = filesLimit + upload.FormOverhead
	b.tooLarge = problem.New(problem.TooLarge, "The form has more than %d bytes beside its files.", upload.FormOverhead)
}

func (b *body) Read(p []byte) (int, error) {
	if b.read > b.limit {
		return 0, b.tooLarge
	}
	n, err := b.Body.Read(p)
	if b.read += int64(n); b.read > b.limit {
		err = b.tooLarge
	}
	return n, err
}

// explain returns what a client sees of an error while its body was read.
func (b *body) explain(err error) error {
	if b.read > b.limit {
		return b.tooLarge
	}
	failure, _ := b.Failure(err)
	return cmp.Or(failure, err)
}
