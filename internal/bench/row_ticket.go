package bench

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

// checkTickets measures how many tickets one core checks. Its baseline reads a ticket by the standard library alone:
// the signature and the JSON, without any rule.
func checkTickets(ctx context.Context, s *stage) (result, error) {
	now, secret := time.Now(), ticket.NewSecret()
	terms := ticket.Terms{Profile: uuid.New(), Enabled: true, Secret: secret, ContentTypes: []string{"video/*"}}
	info, signature, err := ticket.Claims{Profile: terms.Profile, Expires: now.Add(time.Hour).Unix(), Nonce: "bench",
		MaxSize: 1 << 30, ContentTypes: []string{"video/mp4"}, ClientData: json.RawMessage(`{"order":7}`),
		Item: json.RawMessage(`{"name":"Metropolis","tags":["keynote","1927"]}`)}.Sign(secret)
	if err != nil {
		return result{}, err
	}
	profiles := map[uuid.UUID]ticket.Terms{terms.Profile: terms}
	known := func(id uuid.UUID) (ticket.Terms, error) {
		if of, ok := profiles[id]; ok {
			return of, nil
		}
		return ticket.Terms{}, problem.New(problem.NotFound, "There is no such profile.")
	}
	return s.alternate(ctx, s.rounds(s.Rounds), rateOf, sides{
		this: repeating(s.Round, func() error {
			_, err := ticket.Parse(info, signature, now, known)
			return err
		}),
		baseline: repeating(s.Round, func() error { return readTicket(info, signature, secret) }),
	})
}

func readTicket(info, signature, secret string) error {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(info))
	given, err := hex.DecodeString(signature)
	if err != nil || !hmac.Equal(mac.Sum(nil), given) {
		return errors.New("the signature does not match")
	}
	raw, err := base64.RawURLEncoding.DecodeString(info)
	if err != nil {
		return err
	}
	var claims ticket.Claims
	return json.Unmarshal(raw, &claims)
}

// repeating measures how often one goroutine does something.
func repeating(lasting time.Duration, do func() error) measurement {
	return func(ctx context.Context) (round, error) {
		count, begun := 0, time.Now()
		for ; time.Since(begun) < lasting; count++ {
			if err := do(); err != nil {
				return round{}, err
			}
		}
		return round{count: count, perSecond: float64(count) / time.Since(begun).Seconds()}, ctx.Err()
	}
}
