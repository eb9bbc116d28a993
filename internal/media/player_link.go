package media

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/item"
)

// VerifyPlayer returns when a signed link to an item's player expires. Errors, both NOT_FOUND: ErrExpired
// if it has; another if it is another item's.
func (s *Service) VerifyPlayer(ctx context.Context, item uuid.UUID, signature string) (time.Time, error) {
	return s.verify(ctx, playerLink, item, signature)
}

// SignURL returns the URL of a stored file with a signature that expires at a time; that of an external file as it is.
func (s *Service) SignURL(ctx context.Context, asset uuid.UUID, url string, until time.Time) (string, error) {
	name := s.items.HeldName(asset, url)
	if name == "" {
		return url, nil
	}
	key, err := s.linkKey(ctx)
	if err != nil {
		return "", err
	}
	return s.signedURL(key, asset, name, until), nil
}

func (s *Service) signedURL(key []byte, asset uuid.UUID, name string, until time.Time) string {
	return s.publicURL + signed + sign(key, mediaLink, asset, until) + "/" + asset.String() + "/" + name
}

// playerURL returns a signed link to a page that plays an item: item.WatchPath or item.EmbedPath.
func (s *Service) playerURL(key []byte, page string, id uuid.UUID, until time.Time) string {
	return s.publicURL + page + strings.TrimPrefix(signed, item.MediaPath) + sign(key, playerLink, id, until) + "/" +
		id.String()
}
