package core

import (
	"context"
	"net/http"

	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
)

// ListUploads lists the uploads under way, newest first. Package oneshot receives uploads.
func (a *API) ListUploads(
	ctx context.Context, request oapi.ListUploadsRequestObject,
) (oapi.ListUploadsResponseObject, error) {
	p := request.Params
	uploads, next, err := a.Uploads.List(ctx, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := uploadList{oapi.UploadList{Results: make([]oapi.Upload, len(uploads)), Next: a.nextURL(ctx, next)}}
	for i, u := range uploads {
		list.Results[i] = oapi.Upload{ID: u.ID, ProfileID: u.ProfileID, UserID: u.UserID, Nonce: u.Nonce,
			Way: oapi.UploadWay(u.Way), SizeExpected: u.SizeExpected, Bytes: u.Bytes, StartedAt: u.StartedAt,
			SeenAt: u.SeenAt}
	}
	return list, nil
}

type uploadList struct{ oapi.UploadList }

func (l uploadList) VisitListUploadsResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.UploadList)
}

// StopUpload stops an upload under way.
func (a *API) StopUpload(
	ctx context.Context, request oapi.StopUploadRequestObject,
) (oapi.StopUploadResponseObject, error) {
	return oapi.StopUpload204Response{}, a.Uploads.Stop(ctx, request.ID)
}
