package sending

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func TestSignature_IsWhatStandardWebhooksVerifies(t *testing.T) {
	t.Parallel()
	// The example of the Standard Webhooks libraries.
	const secret, id, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got, err := signature([]string{secret}, id, "1614265330", []byte(body)); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	other := NewSecret()
	verifier, err := standardwebhooks.NewWebhook(other)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := verifier.Sign(id, time.Unix(1614265330, 0), []byte(body))
	if got, err := signature([]string{secret, other}, id, "1614265330", []byte(body)); err != nil || got != want+" "+second {
		t.Errorf("%s, %v, want both signatures", got, err)
	}
}

func TestNewSecret_IsLongEnoughAndNew(t *testing.T) {
	t.Parallel()
	a, b := NewSecret(), NewSecret()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a, "whsec_"))
	if err != nil || len(key) < 24 || !strings.HasPrefix(a, "whsec_") || a == b {
		t.Errorf("%q, %q, %v", a, b, err)
	}
}

func TestRetryAfter_IsSecondsOrADate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": time.Second, "90": 90 * time.Second, "1000000000": 1000000000 * time.Second, "-5": 0, "soon": 0, "99999999999999999999": 0, "1.5": 0,
		"Fri, 02 Jan 2026 03:06:05 GMT": 2 * time.Minute, "Thu, 01 Jan 2026 03:06:05 GMT": 0, "Friday, 02-Jan-26 03:06:05 GMT": 2 * time.Minute,
	} {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("Retry-After: %s: %s, want %s", value, got, want)
		}
	}
}
