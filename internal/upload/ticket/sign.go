package ticket

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// SecretPrefix begins every upload secret, so that scanners recognize a leaked one.
const SecretPrefix = "icu_"

// encoding refuses the second spelling of a text: unused bits of the last character must be zero.
var encoding = base64.RawURLEncoding.Strict()

// NewSecret makes an upload secret with 260 random bits. Show it to its owner only, and once.
func NewSecret() string { return SecretPrefix + rand.Text() + rand.Text() }

// Claims are the JSON of a ticket, for those who sign one.
type Claims struct {
	Profile      uuid.UUID       `json:"profile"`
	Expires      int64           `json:"expires"` // seconds since 1970; at most seven days ahead
	Nonce        string          `json:"nonce"`
	MaxSize      int64           `json:"max_size,omitzero"` // bytes of an upload
	ContentTypes []string        `json:"content_types,omitempty"`
	Redirect     string          `json:"redirect,omitempty"`
	ClientData   json.RawMessage `json:"client_data,omitempty"`
	Item         json.RawMessage `json:"item,omitempty"`
}

// Sign returns the two texts of a ticket.
func (c Claims) Sign(secret string) (info, signature string, err error) {
	claims, err := json.Marshal(c)
	if err != nil {
		return "", "", fmt.Errorf("encode a ticket: %w", err)
	}
	info = Encode(claims)
	return info, Signature(info, secret), nil
}

// Encode returns the info of a ticket with the given JSON.
func Encode(claims []byte) (info string) { return encoding.EncodeToString(claims) }

// Signature returns the signature of an info: the HMAC-SHA256 of its text, in lower-case hexadecimal digits. The key is
// the whole text of the secret, with its prefix.
func Signature(info, secret string) string { return hex.EncodeToString(sum(info, secret)) }

func sum(info, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(info))
	return mac.Sum(nil)
}
