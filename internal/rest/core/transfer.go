package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/rest/incoming"
)

var errPermissionsChanged = problem.New(problem.Unavailable,
	"Your permissions have changed during the request. Send it again.")

// transfer runs do, which lasts as long as its client sends or reads. It cancels do when the permissions of the user
// change: a slow client could otherwise use permissions that the user no longer has. The error is the reason then.
// Unblock must end a read from, or a write to, the client.
func (a *API) transfer(ctx context.Context, do func(ctx context.Context) error, unblock func()) error {
	actor, err := account.Authorize(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer a.Watch(actor, func(reason error) { cancel(cmp.Or[error](reason, errPermissionsChanged)) })()
	unblocked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(unblocked)
		unblock()
	})
	err = do(ctx)
	if stop() {
		return err
	}
	<-unblocked // later, the connection may belong to another request
	if reason := context.Cause(ctx); err != nil && !errors.Is(reason, context.Canceled) {
		return reason
	}
	return err
}

// ImportItems imports items while the client sends them. The body's content decides its format.
func (a *API) ImportItems(
	ctx context.Context, request oapi.ImportItemsRequestObject,
) (oapi.ImportItemsResponseObject, error) {
	options := item.ImportOptions{
		Key:          optional.OrZero(request.Params.IdempotencyKey),
		CreateFields: optional.OrZero(request.Params.CreateFields),
		KeepTimes:    optional.OrZero(request.Params.KeepTimes),
		TagSeparator: optional.OrZero(request.Params.TagSeparator),
	}
	return itemImport(func(w http.ResponseWriter) error {
		var report item.ImportReport
		body := incoming.New(w, requestFrom(ctx))
		err := a.transfer(ctx, func(ctx context.Context) (err error) {
			report, err = a.Items.Import(ctx, body, options)
			return err
		}, body.End)
		body.Answer()
		if err != nil {
			return afterLines(err, &report)
		}
		return toImportReport(report).VisitImportItemsResponse(w)
	}), nil
}

// afterLines adds to an error what was imported before it.
func afterLines(err error, report *item.ImportReport) error {
	fault := problem.Of(err)
	if fault == nil || report.Read() == 0 {
		return err
	}
	known := *fault
	known.Detail = fmt.Sprintf("%s The %ss up to line %d are imported: %d created, %d updated, %d unchanged, %d rejected.",
		fault.Detail, report.Unit, report.Line, report.Created, report.Updated, report.Unchanged, report.Rejected)
	return &known
}

type itemImport func(w http.ResponseWriter) error

func (i itemImport) VisitImportItemsResponse(w http.ResponseWriter) error { return i(w) }

func toImportReport(report item.ImportReport) oapi.ImportItems200JSONResponse {
	shown := oapi.ImportItems200JSONResponse{
		ResumedAfterLine: report.ResumedAfter, Lines: report.Read(), Created: report.Created, Updated: report.Updated,
		Unchanged: report.Unchanged, Rejected: report.Rejected, CreatedFields: []oapi.CreatedField{},
		IgnoredColumns: append([]string{}, report.Ignored...), Errors: make([]oapi.ImportError, len(report.Errors)),
	}
	for _, f := range report.Fields {
		shown.CreatedFields = append(shown.CreatedFields,
			oapi.CreatedField{Key: f.Key, Label: f.Label, Kind: oapi.MetadataKind(f.Kind)})
	}
	for i, e := range report.Errors {
		shown.Errors[i] = oapi.ImportError{Line: e.Line, Detail: e.Error.Detail, Errors: toFaults(e.Error.Faults)}
		if e.Element > 0 {
			shown.Errors[i].Element = &e.Element
		}
	}
	return shown
}

// ExportItems streams the items that match the filter.
func (a *API) ExportItems(
	ctx context.Context, request oapi.ExportItemsRequestObject,
) (oapi.ExportItemsResponseObject, error) {
	filter := itemFilter(requestFrom(ctx), request.Params)
	options := item.ExportOptions{Fields: optional.OrZero(request.Params.WithFields)}
	return itemExport(func(w http.ResponseWriter) error {
		return a.transfer(ctx, func(ctx context.Context) error { return a.Items.Export(ctx, w, filter, &options) },
			func() { _ = http.NewResponseController(w).SetWriteDeadline(time.Now()) })
	}), nil
}

type itemExport func(w http.ResponseWriter) error

// VisitExportItemsResponse streams. An error before the first line is an ordinary response. After an error later, it
// aborts the connection, so that no client takes the part that it has for the whole.
func (e itemExport) VisitExportItemsResponse(w http.ResponseWriter) error {
	out := &lines{ResponseWriter: w}
	err := e(out)
	switch {
	case err != nil && out.written:
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	case !out.written:
		_, err = out.Write(nil)
	}
	return err
}

// lines writes NDJSON, and records whether anything was written.
type lines struct {
	http.ResponseWriter
	written bool
}

func (l *lines) Write(p []byte) (int, error) {
	if !l.written {
		l.written = true
		l.Header().Set("Content-Type", "application/x-ndjson")
	}
	return l.ResponseWriter.Write(p)
}

func (l *lines) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func toFaults(faults []problem.Fault) []oapi.Fault {
	out := make([]oapi.Fault, len(faults))
	for i, f := range faults {
		out[i] = oapi.Fault{Pointer: f.Pointer, Parameter: f.Parameter, Detail: f.Detail}
	}
	return out
}
