package core

import (
	"context"

	"itemcast/internal/media"
	"itemcast/internal/rest/core/internal/oapi"
)

// CreateMediaLinks makes links to the stored files of an item.
func (a *API) CreateMediaLinks(
	ctx context.Context, request oapi.CreateMediaLinksRequestObject,
) (oapi.CreateMediaLinksResponseObject, error) {
	seconds := int64(media.DefaultLifetime)
	if request.Body != nil && request.Body.ExpiresIn != nil {
		seconds = int64(*request.Body.ExpiresIn)
	}
	links, err := a.Media.Links(ctx, request.ID, seconds)
	if err != nil {
		return nil, err
	}
	made := oapi.CreateMediaLinks200JSONResponse{Urls: make([]oapi.MediaLink, len(links.URLs)),
		PlayerURL: links.PlayerURL, EmbedURL: links.EmbedURL, ExpiresAt: links.ExpiresAt}
	for i, link := range links.URLs {
		made.Urls[i] = oapi.MediaLink{ID: link.ID, URL: link.URL}
	}
	return made, nil
}
