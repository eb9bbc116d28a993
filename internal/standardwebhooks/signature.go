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

// Tolerance is how far a timestamp may be from now: an intercepted message cannot be sent again later than that.
const Tolerance = 5 * time.Minute

const version = "v1" // HMAC-SHA256

// The errors of Verify, which wraps one of them.
var (
	ErrHeader    = errors.New("not signed as Standard Webhooks specifies")
	ErrTimestamp = errors.New("the timestamp is not current")
	ErrSignature = errors.New("the signature does not match")
)

// Sign returns the webhook-signature of a message: one signature for each secret, separated by spaces. During a
// rotation there are two secrets, so that receivers with either can verify. at is signed to the second, as in
// webhook-timestamp.
func Sign(id string, at time.Time, body []byte, secrets ...Secret) string {
	signatures := make([]string, len(secrets))
	timestamp := strconv.FormatInt(at.Unix(), 10)
	for i, s := range secrets {
		signatures[i] = version + "," + base64.StdEncoding.EncodeToString(s.mac(id, timestamp, body))
	}
	return strings.Join(signatures, " ")
}

// Verify checks a message and returns the index of the secret that it is signed with. One matching signature is
// enough. Signatures of unknown versions are ignored. Errors: ErrHeader, ErrTimestamp, ErrSignature.
func Verify(header http.Header, body []byte, now time.Time, secrets ...Secret) (by int, err error) {
	id, timestamp := header.Get(HeaderID), header.Get(HeaderTimestamp)
	for _, name := range []string{HeaderID, HeaderTimestamp, HeaderSignature} {
		if header.Get(name) == "" {
			return 0, fmt.Errorf("%w: %s is missing", ErrHeader, strings.ToLower(name))
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
		return 0, fmt.Errorf("%w: webhook-signature has no signature of version %s", ErrHeader, version)
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
	return 0, fmt.Errorf("%w: the secret or the body differs", ErrSignature)
}

func verifyTimestamp(timestamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: webhook-timestamp must be a number of seconds", ErrHeader)
	}
	age := now.Unix() - seconds
	switch limit := int64(Tolerance / time.Second); {
	case age > limit:
		return fmt.Errorf("%w: signed %d s ago, and the limit is %d s", ErrTimestamp, age, limit)
	case age < -limit:
		return fmt.Errorf("%w: signed %d s ahead of this machine's clock, and the limit is %d s", ErrTimestamp, -age,
			limit)
	}
	return nil
}

// mac returns the HMAC-SHA256 of id.timestamp.body.
func (s Secret) mac(id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
