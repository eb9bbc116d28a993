package core

import (
	"context"

	"itemcast/internal/rest/core/internal/oapi"
)

// ListTags lists the tags in use.
func (a *API) ListTags(ctx context.Context, _ oapi.ListTagsRequestObject) (oapi.ListTagsResponseObject, error) {
	tags, err := a.Items.Tags(ctx)
	results := make([]oapi.Tag, len(tags))
	for i, tag := range tags {
		results[i] = oapi.Tag(tag)
	}
	return oapi.ListTags200JSONResponse{Results: results}, err
}
