package core

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core/internal/oapi"
)

const (
	maxURLBody    = 16 << 10    // bytes of a body that names a URL
	idleTimeout   = time.Minute // without a byte from a client that sends a file
	answerTimeout = time.Minute // for the client to receive the answer
)

// fileAdded adds a file, and then answers with the item's document.
type fileAdded func(w http.ResponseWriter) error

func (f fileAdded) VisitAddItemAssetResponse(w http.ResponseWriter) error    { return f(w) }
func (f fileAdded) VisitAddItemSnapshotResponse(w http.ResponseWriter) error { return f(w) }

// AddItemAsset adds a file to an item: from a form while the client sends it, or from a URL.
func (a *API) AddItemAsset(
	ctx context.Context, request oapi.AddItemAssetRequestObject,
) (oapi.AddItemAssetResponseObject, error) {
	r := requestFrom(ctx)
	return fileAdded(func(w http.ResponseWriter) error {
		return a.receive(ctx, w, request.ID, func(ctx context.Context) (item.Document, error) {
			if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType == "application/json" {
				return a.addByURL(ctx, request, r)
			}
			form, err := openFileForm(r)
			if err != nil {
				return item.Document{}, err
			}
			fields, err := form.json()
			if err != nil {
				return item.Document{}, err
			}
			return a.Attach.Add(ctx, request.ID, fields, form)
		})
	}), nil
}

func (a *API) addByURL(
	ctx context.Context, request oapi.AddItemAssetRequestObject, r *http.Request,
) (item.Document, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxURLBody+1))
	switch {
	case err != nil:
		return item.Document{}, err
	case len(raw) > maxURLBody:
		return item.Document{}, problem.New(problem.TooLarge, "The body must have at most %d bytes.", maxURLBody)
	}
	return a.Attach.AddByURL(ctx, request.ID, raw)
}

// AddItemSnapshot adds a picture to an item while the client sends it.
func (a *API) AddItemSnapshot(
	ctx context.Context, request oapi.AddItemSnapshotRequestObject,
) (oapi.AddItemSnapshotResponseObject, error) {
	r := requestFrom(ctx)
	return fileAdded(func(w http.ResponseWriter) error {
		return a.receive(ctx, w, request.ID, func(ctx context.Context) (item.Document, error) {
			form, err := openFileForm(r)
			if err != nil {
				return item.Document{}, err
			}
			poster, err := form.flag("poster")
			if err != nil {
				return item.Document{}, err
			}
			return a.Attach.AddSnapshot(ctx, request.ID, form.fileName, poster, form)
		})
	}), nil
}

// receive runs do while the client sends its body, and answers with the document. It ends when nothing has come for a
// time, and when the user's permissions change.
func (a *API) receive(
	ctx context.Context, w http.ResponseWriter, id uuid.UUID,
	do func(ctx context.Context) (item.Document, error),
) error {
	if err := a.Attach.MayAdd(ctx, id); err != nil {
		return err
	}
	controller, r := http.NewResponseController(w), requestFrom(ctx)
	body := &incoming{ReadCloser: r.Body, controller: controller}
	r.Body = body
	var document item.Document
	err := a.transfer(ctx, func(ctx context.Context) (err error) {
		body.ctx = ctx
		document, err = do(ctx)
		return err
	}, func() { _ = controller.SetReadDeadline(time.Now()) })
	_ = controller.SetWriteDeadline(time.Now().Add(answerTimeout))
	if err != nil {
		return body.explain(err)
	}
	return documentResponse{Document: document, status: http.StatusCreated}.write(w)
}

// incoming is a body that may come slowly. Each second with a byte moves the deadline of its connection.
type incoming struct {
	io.ReadCloser
	ctx        context.Context // ends when the user's permissions change
	controller *http.ResponseController
	extended   time.Time // when the deadline was last moved
	err        error     // why it ended, but for io.EOF
}

func (b *incoming) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if now := time.Now(); now.Sub(b.extended) > time.Second {
		b.extended = now
		_ = b.controller.SetReadDeadline(now.Add(idleTimeout)) // fails only where there is no connection, as in a test
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.controller.SetReadDeadline(time.Time{}) // net/http would take it for the client's end
	case err != nil:
		b.err = err
	}
	return n, err
}

// explain returns what a client sees of an error while its body was read.
func (b *incoming) explain(err error) error {
	switch {
	case b.err == nil || problem.Of(err) != nil && !errors.Is(err, b.err):
		return err
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		return problem.New(problem.BadRequest, "Nothing of the body has come for %d seconds. Send it again.",
			int(idleTimeout.Seconds()))
	}
	return errIncompleteForm
}
