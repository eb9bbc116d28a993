package media

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media/internal/store"
	"itemcast/internal/problem"
)

// Link is the address of an asset or a snapshot for people who need no credentials.
type Link struct {
	ID  uuid.UUID // of the asset or the snapshot
	URL string
}

// Links are the links to the stored files of an item, and to the pages that play it.
type Links struct {
	URLs                []Link
	PlayerURL, EmbedURL string
	ExpiresAt           time.Time
}

// signed is the folder of the addresses that carry a signature: /media/s/EXPIRES-SIGNATURE/ASSET/NAME. A relative link
// in such a file, as in a playlist, carries it too.
const signed = item.MediaPath + "s/"

// The lifetimes of links, in seconds.
const (
	DefaultLifetime = 60 * 60
	maxLifetime     = 24 * 60 * 60
)

// Links returns a link to each stored asset and snapshot of an item, and to its player, valid for some seconds.
// Everybody who has a link can use it. It ends earlier with the asset. Needs items.view. Errors: NOT_FOUND;
// INVALID_INPUT for a lifetime that is not from 1 second to 24 hours.
func (s *Service) Links(ctx context.Context, id uuid.UUID, seconds int64) (Links, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Links{}, err
	}
	if seconds < 1 || seconds > maxLifetime {
		return Links{}, problem.Invalid(problem.InvalidInput,
			problem.Fault{Parameter: "expires_in", Detail: "must be from 1 to 86400 seconds"})
	}
	document, err := s.items.Get(ctx, id)
	if err != nil {
		return Links{}, err
	}
	i, err := item.Decode(document.Bytes)
	if err != nil {
		return Links{}, err
	}
	published, err := store.New(db.Read(ctx, s.pool)).PublishedAssets(ctx, store.PublishedAssetsParams{
		AccountID: actor.AccountID, ItemID: &id})
	if err != nil {
		return Links{}, fmt.Errorf("read an item's files: %w", err)
	}
	key, err := s.linkKey(ctx)
	if err != nil {
		return Links{}, err
	}
	links := Links{URLs: []Link{}, ExpiresAt: time.Unix(s.now().Unix()+1+seconds, 0).UTC()}
	links.PlayerURL = s.playerURL(key, item.WatchPath, id, links.ExpiresAt)
	links.EmbedURL = s.playerURL(key, item.EmbedPath, id, links.ExpiresAt)
	add := func(asset uuid.UUID, url string) {
		if name := s.items.HeldName(asset, url); name != "" && slices.Contains(published, asset) {
			links.URLs = append(links.URLs, Link{asset, s.signedURL(key, asset, name, links.ExpiresAt)})
		}
	}
	for _, a := range i.Assets {
		add(a.ID, a.URL)
	}
	for _, p := range i.Snapshots {
		add(p.ID, p.URL)
	}
	return links, nil
}

// What a signature is for. One for a player is none for a file.
const (
	mediaLink  = "media link "
	playerLink = "player link "
)

// sign returns the signature of an asset's folder or an item's player, with its expiry in seconds since 1970.
func sign(key []byte, purpose string, id uuid.UUID, expires time.Time) string {
	seconds := strconv.FormatInt(expires.Unix(), 10)
	return seconds + "-" + base64.RawURLEncoding.EncodeToString(digest(key, purpose, id, seconds))
}

func digest(key []byte, purpose string, id uuid.UUID, expires string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	mac.Write(id[:])
	mac.Write([]byte(expires))
	return mac.Sum(nil)
}

// verify returns when a signature expires. Errors, both NOT_FOUND: ErrExpired if it has; another if it is for something
// else.
func (s *Service) verify(ctx context.Context, purpose string, id uuid.UUID, signature string) (time.Time, error) {
	expires, encoded, _ := strings.Cut(signature, "-")
	given, err := base64.RawURLEncoding.Strict().DecodeString(encoded) // each signature has one form
	if err != nil {
		return time.Time{}, errNotFound
	}
	key, err := s.linkKey(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if !hmac.Equal(given, digest(key, purpose, id, expires)) {
		return time.Time{}, errNotFound
	}
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return time.Time{}, errNotFound
	}
	if !s.now().Before(time.Unix(seconds, 0)) {
		return time.Time{}, ErrExpired
	}
	return time.Unix(seconds, 0), nil
}

// linkKey returns the key that signs links. It never changes, so that a node reads it once.
func (s *Service) linkKey(ctx context.Context) ([]byte, error) {
	if known := s.key.Load(); known != nil {
		return *known, nil
	}
	key, err := store.New(db.Read(ctx, s.pool)).MediaKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the key of links: %w", err)
	}
	s.key.Store(&key)
	return key, nil
}
