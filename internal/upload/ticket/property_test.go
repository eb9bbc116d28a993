package ticket_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

// drawn is a random ticket that is valid now under terms.
func drawn(t *rapid.T) (of ticket.Terms, c ticket.Claims) {
	of = terms()
	of.Secret = rapid.StringN(1, 40, -1).Draw(t, "secret")
	of.MaxSize = rapid.Int64Range(0, ticket.MaxSize).Draw(t, "the profile's max_size")
	c = ticket.Claims{Profile: of.Profile, Nonce: rapid.StringMatching(`[!-~]{1,128}`).Draw(t, "nonce"),
		Expires: rapid.Int64Range(now.Unix()+1, now.Add(ticket.Lifetime).Unix()).Draw(t, "expires"),
		MaxSize: rapid.Int64Range(0, ticket.MaxSize).Draw(t, "max_size")}
	if rapid.Bool().Draw(t, "redirects") {
		c.Redirect = rapid.SampledFrom(of.Redirects).Draw(t, "redirect")
	}
	if rapid.Bool().Draw(t, "has data") {
		data, err := json.Marshal(rapid.MapOf(rapid.StringMatching(`[a-z]{1,5}`), rapid.Int32()).Draw(t, "client_data"))
		if err != nil {
			t.Fatal(err)
		}
		c.ClientData = data
	}
	return of, c
}

func TestParse_ReadsWhatSignHasSigned(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		of, c := drawn(t)
		info, signature, err := c.Sign(of.Secret)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ticket.Parse(info, signature, now, known(of))
		if err != nil {
			t.Fatal(err)
		}
		want := of.MaxSize
		if c.MaxSize > 0 && (want == 0 || c.MaxSize < want) {
			want = c.MaxSize
		}
		if got.Nonce != c.Nonce || got.Expires.Unix() != c.Expires || got.Limit != want || got.Redirect != c.Redirect ||
			string(got.ClientData) != string(c.ClientData) {
			t.Fatalf("got %+v of %+v", got, c)
		}
	})
}

// One changed character, in the info or the signature, or another secret, makes a ticket invalid.
func TestParse_RefusesEveryAlteredTicket(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		of, c := drawn(t)
		info, signature, err := c.Sign(of.Secret)
		if err != nil {
			t.Fatal(err)
		}
		altered := []byte(info + signature)
		at := rapid.IntRange(0, len(altered)-1).Draw(t, "at")
		to := rapid.Byte().Filter(func(b byte) bool { return b != altered[at] }).Draw(t, "to")
		altered[at] = to
		_, err = ticket.Parse(string(altered[:len(info)]), string(altered[len(info):]), now, known(of))
		if !problem.Is(err, problem.TicketInvalid) {
			t.Fatalf("got %v", err)
		}
		other := of
		other.Secret += "x"
		if _, err := ticket.Parse(info, signature, now, known(other)); !problem.Is(err, problem.TicketInvalid) {
			t.Fatalf("under another secret: got %v", err)
		}
	})
}

// A ticket that is valid at a time is valid at each earlier time from seven days before its end on, and at no other.
func TestParse_IsValidForTheLastSevenDaysBeforeItsEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		of, c := drawn(t)
		of.OldSecret = ""
		info, signature, err := c.Sign(of.Secret)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(now.Unix()-20*86400, now.Unix()+20*86400).Draw(t, "time"), 0)
		end := time.Unix(c.Expires, 0)
		_, err = ticket.Parse(info, signature, at, known(of))
		switch {
		case !at.Before(end) && !problem.Is(err, problem.TicketExpired),
			at.Before(end.Add(-ticket.Lifetime)) && !problem.Is(err, problem.TicketInvalid),
			at.Before(end) && !at.Before(end.Add(-ticket.Lifetime)) && err != nil:
			t.Fatalf("%s before its end: got %v", end.Sub(at), err)
		}
	})
}

// FuzzParse signs any JSON, as an owner's server with a fault would. Parse answers with a ticket that keeps the
// promises of the package, or with one of its codes.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"profile":"01890a5d-ac96-774b-bcce-b302099a8057","expires":1795809600,"nonce":"a"}`,
		`{"profile":"01890a5d-ac96-774b-bcce-b302099a8057","expires":1795809600,"nonce":"a","item":{"name":"x","privacy":"public"}}`,
		`{"profile":"01890a5d-ac96-774b-bcce-b302099a8057","expires":1795809600.5,"content_types":["video/*"],"max_size":1e3}`,
		`{"a":1,"a":2}`, `[`, "\xff", `{"profile":{}}`, `{"redirect":"https://app.example/thanks"}`,
	} {
		f.Add([]byte(seed), []byte(ticket.Signature(ticket.Encode([]byte(seed)), secret)), true)
	}
	f.Fuzz(func(t *testing.T, raw, signature []byte, signed bool) {
		info, of := ticket.Encode(raw), terms()
		sent := string(signature)
		if signed {
			sent = ticket.Signature(info, of.Secret)
		} else {
			info = string(raw)
		}
		asked := uuid.Nil
		got, err := ticket.Parse(info, sent, now, func(id uuid.UUID) (ticket.Terms, error) {
			asked = id
			return known(of)(id)
		})
		if err != nil {
			e := problem.Of(err)
			if e == nil || e.Code != problem.TicketInvalid && e.Code != problem.TicketExpired && e.Code != problem.TicketMissing {
				t.Fatalf("got %v", err)
			}
			return
		}
		if asked != of.Profile || got.Nonce == "" || len([]rune(got.Nonce)) > 128 || !got.Expires.After(now) ||
			got.Expires.After(now.Add(ticket.Lifetime)) || got.Limit > of.MaxSize || got.Limit < 1 {
			t.Fatalf("got %+v", got)
		}
		if _, err := got.ItemInput("a"); err != nil {
			t.Fatalf("its item input: %v", err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	of := terms()
	info, signature, err := ticket.Claims{Profile: of.Profile, Expires: now.Unix() + 60, Nonce: "a nonce"}.Sign(of.Secret)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ticket.Parse(info, signature, now, known(of)); err != nil {
			b.Fatal(err)
		}
	}
}
