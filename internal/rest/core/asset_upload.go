package core

import (
	"context"
	"io"
	"mime"
	"net/http"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/rest/incoming"
	"itemcast/internal/upload"
)

const maxURLBody = 16 << 10 // bytes of a body that names a URL

// fileAdded adds a file, and then answers with the item's document.
type fileAdded func(w http.ResponseWriter) error

func (f fileAdded) VisitAddItemAssetResponse(w http.ResponseWriter) error    { return f(w) }
func (f fileAdded) VisitAddItemSnapshotResponse(w http.ResponseWriter) error { return f(w) }

// AddItemAsset adds a file to an item: from a form while the client sends it, or from a URL.
func (a *API) AddItemAsset(
	ctx context.Context, request oapi.AddItemAssetRequestObject,
) (oapi.AddItemAssetResponseObject, error) {
	return fileAdded(func(w http.ResponseWriter) error {
		return a.receive(w, requestFrom(ctx), request.ID, func(ctx context.Context, r *http.Request) (item.Document, error) {
			if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType == "application/json" {
				return a.addByURL(ctx, request, r)
			}
			return a.addAssetOf(ctx, r, request.ID)
		})
	}), nil
}

func (a *API) addAssetOf(ctx context.Context, r *http.Request, id uuid.UUID) (item.Document, error) {
	form, err := openFileForm(r)
	if err != nil {
		return item.Document{}, err
	}
	fields, err := form.json()
	if err != nil {
		return item.Document{}, err
	}
	return a.Attach.Add(ctx, id, fields, form)
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
	return fileAdded(func(w http.ResponseWriter) error {
		return a.receive(w, requestFrom(ctx), request.ID, func(ctx context.Context, r *http.Request) (item.Document, error) {
			return a.addSnapshotOf(ctx, r, request.ID)
		})
	}), nil
}

func (a *API) addSnapshotOf(ctx context.Context, r *http.Request, id uuid.UUID) (item.Document, error) {
	form, err := openFileForm(r)
	if err != nil {
		return item.Document{}, err
	}
	poster, err := form.flag("poster")
	if err != nil {
		return item.Document{}, err
	}
	return a.Attach.AddSnapshot(ctx, id, form.file.FileName, poster, form)
}

// receive runs do while the client sends its body, and answers with the document.
func (a *API) receive(w http.ResponseWriter, r *http.Request, id uuid.UUID, do receiving) error {
	document, err := a.received(w, r, id, do)
	if err != nil {
		return err
	}
	return documentResponse{Document: document, status: http.StatusCreated}.write(w)
}

// receiving reads the body of a request.
type receiving func(ctx context.Context, r *http.Request) (item.Document, error)

// received runs do while the client sends its body. It ends when nothing has come for a time, and when the user's
// permissions change.
func (a *API) received(w http.ResponseWriter, r *http.Request, id uuid.UUID, do receiving) (
	document item.Document, err error,
) {
	ctx := r.Context()
	if err := a.Attach.MayAdd(ctx, id); err != nil {
		return document, err
	}
	body := &revocable{Body: incoming.New(w, r), Closer: r.Body}
	body.Waits = true
	ctx = upload.WithIncoming(ctx, upload.Incoming{Size: r.ContentLength, EndWith: body.EndWith})
	r.Body = body
	err = a.transfer(ctx, func(ctx context.Context) (err error) {
		body.ctx = ctx
		document, err = do(ctx, r)
		return err
	}, body.End)
	body.Answer()
	if err != nil {
		return document, body.explain(err)
	}
	return document, nil
}

// revocable is a body that ends when the user's permissions change.
type revocable struct {
	*incoming.Body
	io.Closer
	ctx context.Context // ends then
}

func (b *revocable) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.Body.Read(p)
}

// explain returns what a client sees of an error while its body was read: a problem of another cause, such as the
// permissions, as it is.
func (b *revocable) explain(err error) error {
	failure, caused := b.Failure(err)
	if failure == nil || problem.Of(err) != nil && !caused {
		return err
	}
	return failure
}
