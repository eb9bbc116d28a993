// Package standardwebhooks signs messages and verifies them, as Standard Webhooks lays down
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme"): the one place for both
// sides. It knows nothing of what a message says, how it is sent, or where secrets are kept.
package standardwebhooks

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// A secret is 24 to 64 bytes, shown as whsec_ and base64. Shorter and longer ones of other makers are taken.
const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// Secret is what a sender and a receiver share. The zero value is none, and fits no signature.
type Secret struct {
	key []byte
}

// NewSecret makes a secret of 32 random bytes.
func NewSecret() Secret {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails
	return Secret{key: key}
}

// ParseSecret reads a secret; whsec_ may be missing. Its error does not tell the text.
func ParseSecret(text string) (s Secret, err error) {
	return s, s.UnmarshalText([]byte(text))
}

// UnmarshalText is ParseSecret, for flags and files.
func (s *Secret) UnmarshalText(text []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(text), secretPrefix))
	if err != nil || len(key) == 0 {
		return errors.New("must be whsec_ and base64, as it was shown when the hook was made")
	}
	s.key = key
	return nil
}

// Text is the secret as it is shown to its owner, and as every Standard Webhooks library takes it.
func (s Secret) Text() string {
	return secretPrefix + base64.StdEncoding.EncodeToString(s.key)
}

// String is what logs see of a secret: that it is one.
func (Secret) String() string { return secretPrefix + "…" }
