package graph

import (
	"itemcast/graph/internal/model"
	"itemcast/internal/upload"
)

func toUpload(u upload.UnderWay) *model.Upload {
	return &model.Upload{ID: u.ID, ProfileID: u.ProfileID, UserID: u.UserID, Nonce: u.Nonce,
		Way: toEnum[model.UploadWay](u.Way), SizeExpected: u.SizeExpected, Bytes: u.Bytes, StartedAt: u.StartedAt,
		SeenAt: u.SeenAt}
}
