package ticket

import (
	"crypto/hmac"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Terms are what a workflow profile allows to the tickets that its secret signs.
type Terms struct {
	Account uuid.UUID
	Profile uuid.UUID
	Enabled bool

	Secret         string    // as shown to its owner; "": there is none, so no ticket is valid
	OldSecret      string    // the one before the last rotation; "": none
	OldSecretUntil time.Time // OldSecret is valid before this time

	Origins      []string // of the pages that may upload, as browsers send them
	Redirects    []string // where a form may lead to after an upload
	MaxSize      int64    // bytes of an upload; 0: only the server's limit
	ContentTypes []string // such as video/*; empty: all
	QuotaBytes   int64    // of all files of the profile's items, and of uploads under way; 0: no limit
	QuotaMinutes int64    // of the videos and sounds of the profile's items; 0: no limit
	Publish      bool     // whether a ticket's item may be public or unlisted
}

// AllowsOrigin reports whether pages of an origin may upload with tickets of the profile.
func (t Terms) AllowsOrigin(origin string) bool { return slices.Contains(t.Origins, origin) }

// signed reports whether a secret that is valid now made the signature of info. Its time depends neither on the secrets
// nor on whether there are any.
func (t Terms) signed(info string, signature []byte, now time.Time) bool {
	current := hmac.Equal(sum(info, t.Secret), signature)
	old := hmac.Equal(sum(info, t.OldSecret), signature)
	return current && t.Secret != "" || old && t.OldSecret != "" && now.Before(t.OldSecretUntil)
}
