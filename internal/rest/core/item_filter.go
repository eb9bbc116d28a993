package core

import (
	"net/http"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
)

// itemFilter returns the filter of an operation's parameters. Those of the export include all of the filter's.
func itemFilter(r *http.Request, p oapi.ExportItemsParams) item.Filter {
	return item.Filter{
		Search: optional.OrZero(p.Search), Tags: optional.OrZero(p.Tags), Types: optional.OrZero(p.Type),
		Privacies: optional.OrZero(p.Privacy), WorkflowStatuses: optional.OrZero(p.WorkflowStatus),
		CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter,
		Metadata: metadataCriteria(r),
	}
}

// metadataCriteria reads the parameters metadata.KEY. OpenAPI cannot declare a parameter for each key.
func metadataCriteria(r *http.Request) map[string]string {
	var criteria map[string]string
	for name, values := range r.URL.Query() {
		key, ok := strings.CutPrefix(name, "metadata.")
		if !ok || key == "" || len(values) == 0 {
			continue
		}
		if criteria == nil {
			criteria = map[string]string{}
		}
		criteria[key] = values[0]
	}
	return criteria
}
