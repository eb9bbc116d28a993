package core

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"itemcast/internal/optional"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core/internal/oapi"
)

var errChanged = problem.New(problem.Unavailable, "What you may do has changed meanwhile; send the request again.")

// transfer does what lasts as long as its client takes part, and cuts it off as soon as its user may do other things than at its beginning: who
// sends or reads slowly would hold on to what the user may do no more. The error is the reason then. Free ends a wait for the client.
func (a *API) transfer(ctx context.Context, do func(ctx context.Context) error, free func()) error {
	actor, err := account.Authorize(ctx)
	if err != nil {
		return err
	}
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	defer a.Watch(actor, func(why error) { cut(cmp.Or[error](why, errChanged)) })()
	freed := make(chan struct{})
	whole := context.AfterFunc(ctx, func() {
		defer close(freed)
		free()
	})
	err = do(ctx)
	if whole() {
		return err
	}
	<-freed // the connection may be another request's after this
	if why := context.Cause(ctx); err != nil && !errors.Is(why, context.Canceled) {
		return why
	}
	return err
}

// ImportItems imports NDJSON lines as they stream in.
func (a *API) ImportItems(ctx context.Context, request oapi.ImportItemsRequestObject) (oapi.ImportItemsResponseObject, error) {
	options := item.ImportOptions{Key: optional.OrZero(request.Params.IdempotencyKey), CreateFields: optional.OrZero(request.Params.CreateFields)}
	return importing(func(w http.ResponseWriter) error {
		var report item.ImportReport
		err := a.transfer(ctx, func(ctx context.Context) (err error) {
			report, err = a.Items.Import(ctx, request.Body, options)
			return err
		}, func() { _ = http.NewResponseController(w).SetReadDeadline(time.Now()) })
		if err != nil {
			return err
		}
		return importResult(report).VisitImportItemsResponse(w)
	}), nil
}

type importing func(w http.ResponseWriter) error

func (i importing) VisitImportItemsResponse(w http.ResponseWriter) error { return i(w) }

func importResult(report item.ImportReport) oapi.ImportItems200JSONResponse {
	result := oapi.ImportItems200JSONResponse{ResumedAfterLine: report.ResumedAfter, Lines: report.Read(), Created: report.Created,
		Updated: report.Updated, Unchanged: report.Unchanged, Rejected: report.Rejected, Errors: make([]oapi.ImportError, len(report.Errors))}
	for i, e := range report.Errors {
		result.Errors[i] = oapi.ImportError{Line: e.Line, Detail: e.Error.Detail, Errors: toFaults(e.Error.Faults)}
	}
	return result
}

// ExportItems streams the items that pass the filters.
func (a *API) ExportItems(ctx context.Context, request oapi.ExportItemsRequestObject) (oapi.ExportItemsResponseObject, error) {
	p := request.Params
	filter := item.Filter{
		Search: optional.OrZero(p.Search), Tags: optional.OrZero(p.Tags), Types: optional.OrZero(p.Type), Privacies: optional.OrZero(p.Privacy),
		WorkflowStatuses: optional.OrZero(p.WorkflowStatus), CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter,
		Metadata: metadataCriteria(requestFrom(ctx)),
	}
	return export(func(w http.ResponseWriter) error {
		return a.transfer(ctx, func(ctx context.Context) error { return a.Items.Export(ctx, w, filter, nil) },
			func() { _ = http.NewResponseController(w).SetWriteDeadline(time.Now()) })
	}), nil
}

type export func(w http.ResponseWriter) error

// VisitExportItemsResponse streams. What fails before the first line is an ordinary error; after that, the connection is broken off, so
// that nobody takes a part for the whole.
func (e export) VisitExportItemsResponse(w http.ResponseWriter) error {
	out := &started{ResponseWriter: w}
	err := e(out)
	switch {
	case err != nil && out.yes:
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	case !out.yes:
		_, err = out.Write(nil)
	}
	return err
}

// started notes whether anything was written.
type started struct {
	http.ResponseWriter
	yes bool
}

func (s *started) Write(p []byte) (int, error) {
	if !s.yes {
		s.yes = true
		s.Header().Set("Content-Type", "application/x-ndjson")
	}
	return s.ResponseWriter.Write(p)
}

func (s *started) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func toFaults(faults []problem.Fault) []oapi.Fault {
	out := make([]oapi.Fault, len(faults))
	for i, f := range faults {
		out[i] = oapi.Fault{Pointer: f.Pointer, Parameter: f.Parameter, Detail: f.Detail}
	}
	return out
}
