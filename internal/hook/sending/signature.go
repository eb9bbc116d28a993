package sending

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// Standard Webhooks, "Signature scheme" (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// a secret of 24 to 64 bytes, shown as whsec_ and base64.
const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// NewSecret makes a secret for a hook.
func NewSecret() string {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

var (
	errNoSecret  = errors.New("there is no secret to sign it with")
	errBadSecret = errors.New("a secret to sign it with cannot be read") // without what cannot be read
)

// signature returns the webhook-signature of a message: for each secret v1, and the HMAC-SHA256 of id.timestamp.body, apart by spaces.
func signature(secrets []string, id, timestamp string, body []byte) (string, error) {
	if len(secrets) == 0 {
		return "", errNoSecret
	}
	var signed [64]byte
	prefix := append(append(append(append(signed[:0], id...), '.'), timestamp...), '.')
	var text [128]byte // enough for two
	signatures := text[:0]
	for i, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
		if err != nil {
			return "", errBadSecret
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(prefix)
		mac.Write(body)
		if i > 0 {
			signatures = append(signatures, ' ')
		}
		var sum [sha256.Size]byte
		signatures = base64.StdEncoding.AppendEncode(append(signatures, "v1,"...), mac.Sum(sum[:0]))
	}
	return string(signatures), nil
}
