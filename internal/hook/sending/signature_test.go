package sending

import (
	"math"
	"testing"
	"time"

	"itemcast/internal/standardwebhooks"
)

func TestSignature_HasOneForEachSecret(t *testing.T) {
	t.Parallel()
	first, second := standardwebhooks.NewSecret(), standardwebhooks.NewSecret()
	now := time.Now()
	got, err := signature([]string{first.Text(), second.Text()}, "id", now, []byte("{}"))
	if want := standardwebhooks.Sign("id", now, []byte("{}"), first, second); err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	for _, secrets := range [][]string{nil, {"whsec_?"}, {first.Text(), ""}} {
		if got, err := signature(secrets, "id", now, nil); err == nil {
			t.Errorf("%q: %s", secrets, got)
		}
	}
}

func TestRetryAfter_IsSecondsOrADate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const longest = math.MaxInt64 / time.Second * time.Second // not ignored: the dispatcher holds it at its bound
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": time.Second, "90": 90 * time.Second, "1000000000": 1000000000 * time.Second, "-5": 0, "soon": 0, "1.5": 0,
		"9000000000": 9000000000 * time.Second, "99999999999": longest, "99999999999999999999": longest, "-99999999999999999999": 0,
		"Fri, 02 Jan 2026 03:06:05 GMT": 2 * time.Minute, "Thu, 01 Jan 2026 03:06:05 GMT": 0, "Friday, 02-Jan-26 03:06:05 GMT": 2 * time.Minute,
	} {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("Retry-After: %s: %s, want %s", value, got, want)
		}
	}
}
