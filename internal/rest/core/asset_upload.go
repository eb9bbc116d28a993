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
			return a.Attach.AddSnapshot(ctx, request.ID, form.file.FileName, poster, form)
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
	r := requestFrom(ctx)
	body := &revocable{Body: incoming.New(w, r), Closer: r.Body}
	body.Waits = true
	ctx = upload.WithIncoming(ctx, upload.Incoming{Size: r.ContentLength, EndWith: body.EndWith})
	r.Body = body
	var document item.Document
	err := a.transfer(ctx, func(ctx context.Context) (err error) {
		body.ctx = ctx
		document, err = do(ctx)
		return err
	}, body.End)
	body.Answer()
	if err != nil {
		return body.explain(err)
	}
	return documentResponse{Document: document, status: http.StatusCreated}.write(w)
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
