package core

import (
	"context"

	"itemcast/internal/rest/core/internal/oapi"
)

// GetIndex returns the URLs of the API's lists and documents.
func (a *API) GetIndex(context.Context, oapi.GetIndexRequestObject) (oapi.GetIndexResponseObject, error) {
	at := func(name string) string { return a.PublicURL + base + "/" + name }
	return oapi.GetIndex200JSONResponse{
		Items: at("items"), Changes: at("changes"), Tags: at("tags"), MetadataFields: at("metadata-fields"),
		Hooks: at("hooks"), Deliveries: at("deliveries"), Workflows: at("workflows"),
		WorkflowProfiles: at("workflow-profiles"), Users: at("users"), Roles: at("roles"), Tokens: at("tokens"),
		Audit: at("audit"), Account: at("account"), Me: at("me"), OpenAPI: at("openapi.json"),
		GraphQL: a.PublicURL + "/graphql", Uploads: at("uploads"),
	}, nil
}
