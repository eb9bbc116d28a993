package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/upload/outgoing"
	"itemcast/internal/upload/tusclient"
)

// present returns a function that asks the server whether it still has what an earlier run has uploaded. It is nil for
// a ticket, with which nothing can be read.
func (u *uploadCommand) present(
	server string, header http.Header,
) func(ctx context.Context, f outgoing.File, before outgoing.Sent) (bool, error) {
	if u.TicketInfo != "" {
		return nil
	}
	return func(ctx context.Context, f outgoing.File, before outgoing.Sent) (bool, error) {
		var document struct{ Assets []uploadedAsset }
		err := getJSON(ctx, server+"/api/v1/items/"+before.Item, header, &document)
		refused, answered := errors.AsType[*tusclient.Refused](err)
		switch {
		case answered && (refused.Status == http.StatusNotFound || refused.Status == http.StatusGone):
			return false, nil
		case answered && refused.Status == http.StatusForbidden:
			return false, fmt.Errorf("was uploaded before, and whether item %s is still there cannot be read: %w "+
				"(--again uploads it again)", before.Item, err)
		case err != nil:
			return false, fmt.Errorf("ask whether item %s is still there: %w", before.Item, err)
		case f.Metadata["item_id"] == "":
			return true, nil
		}
		for _, asset := range document.Assets {
			if asset.is(f, before.Size) {
				return true, nil
			}
		}
		return false, nil
	}
}

// uploadedAsset is what tells a file among the assets of an item.
type uploadedAsset struct {
	Kind     item.AssetKind
	Language *string
	Size     *int64
}

// is reports whether an asset is a file of this size. Subtitles change their size when they become WebVTT.
func (a uploadedAsset) is(f outgoing.File, size int64) bool {
	return string(a.Kind) == f.Metadata["kind"] && optional.OrZero(a.Language) == f.Metadata["language"] &&
		(a.Kind == item.AssetKindSubtitle || optional.OrZero(a.Size) == size)
}

// getJSON reads a document. Errors: *tusclient.Refused; *tusclient.Away.
func getJSON(ctx context.Context, url string, header http.Header, into any) error {
	within, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(within, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header = header.Clone()
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return &tusclient.Away{Cause: err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var problem struct{ Code, Detail string }
		_ = json.NewDecoder(response.Body).Decode(&problem) // another server's answer has no detail
		return &tusclient.Refused{Method: http.MethodGet, Status: response.StatusCode, Code: problem.Code,
			Detail: cmp.Or(problem.Detail, "the server answers "+response.Status+": is this its URL?"), Header: response.Header}
	}
	return json.NewDecoder(response.Body).Decode(into)
}
