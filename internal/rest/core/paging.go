package core

import (
	"context"
	"net/http"
	"net/url"

	"itemcast/internal/plainjson"
	"itemcast/internal/publicurl"
)

const defaultPageSize = 50

// pageSize returns the parameter limit, or its default.
func pageSize(limit *int32) int {
	if limit == nil {
		return defaultPageSize
	}
	return int(*limit)
}

// pageURL returns the request's URL with another page token or cursor. The parameter is after or before.
func (a *API) pageURL(r *http.Request, parameter, token string) *string {
	query := r.URL.Query()
	query.Del("after")
	query.Del("before")
	query.Set(parameter, token)
	return new(publicurl.Origin(a.PublicURL) + (&url.URL{Path: r.URL.Path, RawQuery: query.Encode()}).String())
}

// nextURL returns the URL of the next page, or nil if there is none: the page token is "" then.
func (a *API) nextURL(ctx context.Context, token string) *string {
	if token == "" {
		return nil
	}
	return a.pageURL(requestFrom(ctx), "after", token)
}

// setLinks sets the header Link (RFC 8288).
func setLinks(w http.ResponseWriter, next, previous *string) {
	if next != nil {
		w.Header().Add("Link", "<"+*next+`>; rel="next"`)
	}
	if previous != nil {
		w.Header().Add("Link", "<"+*previous+`>; rel="prev"`)
	}
}

// writePage writes a page of a list that has no link to the previous page.
func writePage(w http.ResponseWriter, next *string, page any) error {
	setLinks(w, next, nil)
	w.Header().Set("Content-Type", "application/json")
	return plainjson.NewEncoder(w).Encode(page)
}
