// Package standardwebhooks signs messages and verifies them as Standard Webhooks specifies
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme").
// Senders and receivers use it. It must not know what a message contains, how it is sent, or where secrets are stored.
package standardwebhooks

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// The specification wants 24 to 64 bytes, written as whsec_ and base64. Secrets that other software made are accepted
// in any length.
const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// Secret is shared by a sender and a receiver. The zero value matches no signature.
type Secret struct {
	key []byte
}

// NewSecret makes a secret of 32 random bytes.
func NewSecret() Secret {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails
	return Secret{key: key}
}

// ParseSecret parses a secret; whsec_ may be missing. Its error does not contain the text.
func ParseSecret(text string) (s Secret, err error) {
	return s, s.UnmarshalText([]byte(text))
}

// UnmarshalText is ParseSecret, for flags and files.
func (s *Secret) UnmarshalText(text []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(text), secretPrefix))
	if err != nil || len(key) == 0 {
		return errors.New("must be whsec_ and base64, as shown when the hook was created")
	}
	s.key = key
	return nil
}

// Text returns the secret in the form that every Standard Webhooks library accepts. Show it to the owner only.
func (s Secret) Text() string {
	return secretPrefix + base64.StdEncoding.EncodeToString(s.key)
}

// String hides the secret from logs.
func (Secret) String() string { return secretPrefix + "…" }
