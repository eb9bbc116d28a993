package sending

import (
	"errors"
	"time"

	"itemcast/internal/standardwebhooks"
)

var (
	errNoSecret  = errors.New("it has no secret to sign with")
	errBadSecret = errors.New("its secret cannot be parsed") // without the secret
)

// signature returns the webhook-signature of a message, with one signature for each of its secrets.
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
