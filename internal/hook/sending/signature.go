package sending

import (
	"errors"
	"time"

	"itemcast/internal/standardwebhooks"
)

var (
	errNoSecret  = errors.New("there is no secret to sign it with")
	errBadSecret = errors.New("a secret to sign it with cannot be read") // without what cannot be read
)

// signature returns the webhook-signature of a message, by each of its secrets.
func signature(secrets []string, id string, at time.Time, body []byte) (string, error) {
	if len(secrets) == 0 {
		return "", errNoSecret
	}
	parsed := make([]standardwebhooks.Secret, len(secrets))
	for i, text := range secrets {
		var err error
		if parsed[i], err = standardwebhooks.ParseSecret(text); err != nil {
			return "", errBadSecret
		}
	}
	return standardwebhooks.Sign(id, at, body, parsed...), nil
}
