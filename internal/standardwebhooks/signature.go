package standardwebhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a message.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Tolerance is how far a message's timestamp may be from now: whoever overhears one cannot send it again later.
const Tolerance = 5 * time.Minute

const version = "v1" // HMAC-SHA256

// Why a message is not taken; what Verify returns wraps one of them.
var (
	ErrHeader    = errors.New("not signed as Standard Webhooks lays down")
	ErrTimestamp = errors.New("not of now")
	ErrSignature = errors.New("the signature does not fit")
)

// Sign returns the webhook-signature of a message: one signature by each secret, separated by spaces. (There are two secrets while one
// replaces the other: receivers that know either can verify.) Of at, only the second counts, as webhook-timestamp tells it.
func Sign(id string, at time.Time, body []byte, secrets ...Secret) string {
	signatures := make([]string, len(secrets))
	timestamp := strconv.FormatInt(at.Unix(), 10)
	for i, s := range secrets {
		signatures[i] = version + "," + base64.StdEncoding.EncodeToString(s.mac(id, timestamp, body))
	}
	return strings.Join(signatures, " ")
}

// Verify reports by which of a receiver's secrets a message is signed. One signature that fits is enough; those of versions that this
// package does not know are passed over.
func Verify(header http.Header, body []byte, now time.Time, secrets ...Secret) (by int, err error) {
	id, timestamp := header.Get(HeaderID), header.Get(HeaderTimestamp)
	for _, name := range []string{HeaderID, HeaderTimestamp, HeaderSignature} {
		if header.Get(name) == "" {
			return 0, fmt.Errorf("%w: there is no %s", ErrHeader, strings.ToLower(name))
		}
	}
	if err := verifyTimestamp(timestamp, now); err != nil {
		return 0, err
	}
	var given [][]byte
	for _, one := range strings.Fields(header.Get(HeaderSignature)) {
		encoded, ok := strings.CutPrefix(one, version+",")
		if !ok {
			continue
		}
		if mac, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			given = append(given, mac)
		}
	}
	if given == nil {
		return 0, fmt.Errorf("%w: webhook-signature has none of version %s", ErrHeader, version)
	}
	for i, s := range secrets {
		if len(s.key) == 0 {
			continue
		}
		want := s.mac(id, timestamp, body)
		for _, mac := range given {
			if hmac.Equal(mac, want) { // in constant time
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("%w: another secret, or not the bytes that were signed", ErrSignature)
}

func verifyTimestamp(timestamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: webhook-timestamp is no number of seconds", ErrHeader)
	}
	age := now.Unix() - seconds
	switch limit := int64(Tolerance / time.Second); {
	case age > limit:
		return fmt.Errorf("%w: signed %d s ago, and %d are the limit", ErrTimestamp, age, limit)
	case age < -limit:
		return fmt.Errorf("%w: signed %d s ahead of this machine's clock, and %d are the limit", ErrTimestamp, -age, limit)
	}
	return nil
}

// mac is the HMAC-SHA256 of id.timestamp.body.
func (s Secret) mac(id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
