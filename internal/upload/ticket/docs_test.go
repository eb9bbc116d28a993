package ticket_test

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/upload/ticket"
)

// The worked example of docs/uploads.md is right byte for byte: signers in other languages are tested with it.
func TestDocs_TheExampleIsATicket(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/uploads.md")
	if err != nil {
		t.Fatal(err)
	}
	row := func(name string) string {
		t.Helper()
		found := regexp.MustCompile("(?m)^\\| " + name + " \\| `([^`]+)` \\|$").FindSubmatch(page)
		if found == nil {
			t.Fatalf("the page has no row %s", name)
		}
		return string(found[1])
	}
	claims, secret, info, signature := row("JSON"), row("secret"), row("info"), row("signature")
	if got := ticket.Encode([]byte(claims)); got != info {
		t.Errorf("the info is %s", got)
	}
	if got := ticket.Signature(info, secret); got != signature {
		t.Errorf("the signature is %s", got)
	}
	if len(secret) != len(ticket.NewSecret()) {
		t.Errorf("the secret has %d characters", len(secret))
	}
	of := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	got, err := ticket.Parse(info, signature, time.Date(2026, 11, 27, 19, 0, 0, 0, time.UTC),
		known(ticket.Terms{Profile: of, Enabled: true, Secret: secret}))
	if err != nil || got.Nonce != "order-7" || got.Limit != 1<<30 || !got.Allows("video/mp4") || got.Allows("image/png") {
		t.Errorf("got %+v, %v", got, err)
	}
}
