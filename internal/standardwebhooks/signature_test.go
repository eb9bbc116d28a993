package standardwebhooks

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	library "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A signature that the public library made, with the secret of its own tests.
const (
	knownSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	knownID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	knownTime      = 1614265330
	knownBody      = `{"test": 2432232314}`
	knownSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func message(id string, at time.Time, signature string) http.Header {
	h := http.Header{}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(HeaderSignature, signature)
	return h
}

func secret(t *testing.T, text string) Secret {
	t.Helper()
	s, err := ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSign_IsTheSignatureOfThePublicLibraries(t *testing.T) {
	t.Parallel()
	if got := Sign(knownID, time.Unix(knownTime, 999), []byte(knownBody),
		secret(t, knownSecret)); got != knownSignature {
		t.Errorf("got %s, want %s", got, knownSignature)
	}
}

// During a rotation, a receiver that uses the public library verifies with either secret.
func TestSign_WithTwoSecretsEitherVerifies(t *testing.T) {
	t.Parallel()
	old, fresh, now, body := NewSecret(), NewSecret(), time.Now(), []byte(`{"a":1}`)
	header := message("an id", now, Sign("an id", now, body, fresh, old))
	for i, s := range []Secret{old, fresh} {
		webhook, err := library.NewWebhook(s.Text())
		if err != nil {
			t.Fatal(err)
		}
		if err := webhook.Verify(body, header); err != nil {
			t.Errorf("secret %d, by the library: %v", i, err)
		}
		if _, err := Verify(header, body, now, s); err != nil {
			t.Errorf("secret %d: %v", i, err)
		}
	}
	if by, err := Verify(header, body, now, NewSecret(), old); err != nil || by != 1 {
		t.Errorf("got %d, %v, want the second secret", by, err)
	}
}

func TestVerify_AcceptsWhatThePublicLibrarySigns(t *testing.T) {
	t.Parallel()
	s, now, body := NewSecret(), time.Now(), []byte("any bytes \x00\xff")
	webhook, err := library.NewWebhook(s.Text())
	if err != nil {
		t.Fatal(err)
	}
	signature, err := webhook.Sign("an id", now, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(message("an id", now, "v1a,AAAA v2,xyz "+signature+" garbage"), body, now, s); err != nil {
		t.Error(err)
	}
}

func TestVerify_RefusesWithTheReason(t *testing.T) {
	t.Parallel()
	s, now, body := secret(t, knownSecret), time.Unix(knownTime, 0), []byte(knownBody)
	good := func() http.Header { return message(knownID, now, knownSignature) }
	without := func(name string) http.Header { h := good(); h.Del(name); return h }
	at := func(timestamp string) http.Header { h := good(); h.Set(HeaderTimestamp, timestamp); return h }
	signed := func(signature string) http.Header { return message(knownID, now, signature) }
	for name, c := range map[string]struct {
		header http.Header
		body   string
		now    time.Time
		secret Secret
		want   error
		says   string
	}{
		"no id":              {without(HeaderID), knownBody, now, s, ErrHeader, "webhook-id"},
		"no timestamp":       {without(HeaderTimestamp), knownBody, now, s, ErrHeader, "webhook-timestamp"},
		"no signature":       {without(HeaderSignature), knownBody, now, s, ErrHeader, "webhook-signature"},
		"not a number":       {at("soon"), knownBody, now, s, ErrHeader, "seconds"},
		"old":                {good(), knownBody, now.Add(Tolerance + time.Second), s, ErrTimestamp, "301 s ago"},
		"ahead":              {good(), knownBody, now.Add(-Tolerance - time.Second), s, ErrTimestamp, "301 s ahead"},
		"at the end of time": {at(strconv.Itoa(math.MaxInt64)), knownBody, now, s, ErrTimestamp, "ahead"},
		"another time":       {at(strconv.Itoa(knownTime + 1)), knownBody, now, s, ErrSignature, "the secret or the body"},
		"another id":         {message("other", now, knownSignature), knownBody, now, s, ErrSignature, "the secret or the body"},
		"another body":       {good(), knownBody + " ", now, s, ErrSignature, "the secret or the body"},
		"another secret":     {good(), knownBody, now, NewSecret(), ErrSignature, "the secret or the body"},
		"no secret":          {good(), knownBody, now, Secret{}, ErrSignature, "the secret or the body"},
		"unknown versions":   {signed("v1a,AAAA v2,BBBB"), knownBody, now, s, ErrHeader, "version v1"},
		"no base64":          {signed("v1,?"), knownBody, now, s, ErrHeader, "version v1"},
		"an empty signature": {signed("v1,"), knownBody, now, s, ErrSignature, "the secret or the body"},
	} {
		_, err := Verify(c.header, []byte(c.body), c.now, c.secret)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.says)
		}
	}
	for _, edge := range []time.Duration{Tolerance, -Tolerance} {
		if _, err := Verify(good(), body, now.Add(edge), s); err != nil {
			t.Errorf("%s away: %v", edge, err)
		}
	}
}

func TestSecret_IsShownOnlyByText(t *testing.T) {
	t.Parallel()
	s := NewSecret()
	if again := secret(t, s.Text()); again.Text() != s.Text() || len(again.key) != secretBytes {
		t.Errorf("%s became %s", s.Text(), again.Text())
	}
	if bare := secret(t, strings.TrimPrefix(s.Text(), secretPrefix)); bare.Text() != s.Text() {
		t.Errorf("without its prefix, %s became %s", s.Text(), bare.Text())
	}
	if shown := fmt.Sprintf("%v %s", s, s); strings.Contains(shown, s.Text()[len(secretPrefix):]) {
		t.Errorf("a log would show %s", shown)
	}
	for _, bad := range []string{"", "whsec_", "whsec_…", "whsec_QUJD!", "whsec_QUJ"} {
		if _, err := ParseSecret(bad); err == nil || bad != "" && bad != secretPrefix &&
			strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
