package rest

import (
	"context"
	"net/http"

	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/rest/oapi"
)

// ImportItems imports NDJSON lines as they stream in.
func (a *API) ImportItems(ctx context.Context, request oapi.ImportItemsRequestObject) (oapi.ImportItemsResponseObject, error) {
	report, err := a.Items.Import(ctx, request.Body, item.ImportOptions{
		Key: orZero(request.Params.IdempotencyKey), CreateFields: orZero(request.Params.CreateFields),
	})
	if err != nil {
		return nil, err
	}
	result := oapi.ImportItems200JSONResponse{ResumedAfterLine: report.ResumedAfter, Lines: report.Read(), Created: report.Created,
		Updated: report.Updated, Unchanged: report.Unchanged, Rejected: report.Rejected, Errors: make([]oapi.ImportError, len(report.Errors))}
	for i, e := range report.Errors {
		result.Errors[i] = oapi.ImportError{Line: e.Line, Detail: e.Error.Detail, Errors: toFaults(e.Error.Faults)}
	}
	return result, nil
}

// ExportItems streams the items that pass the filters.
func (a *API) ExportItems(ctx context.Context, request oapi.ExportItemsRequestObject) (oapi.ExportItemsResponseObject, error) {
	p := request.Params
	filter := item.Filter{
		Search: orZero(p.Search), Tags: orZero(p.Tags), Types: orZero(p.Type), Privacies: orZero(p.Privacy),
		WorkflowStatuses: orZero(p.WorkflowStatus), CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter,
		Metadata: metadataCriteria(requestFrom(ctx)),
	}
	return export(func(w http.ResponseWriter) error { return a.Items.Export(ctx, w, filter, nil) }), nil
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

func toFaults(faults []problem.Fault) []oapi.Fault {
	out := make([]oapi.Fault, len(faults))
	for i, f := range faults {
		out[i] = oapi.Fault{Pointer: f.Pointer, Parameter: f.Parameter, Detail: f.Detail}
	}
	return out
}
