package nodetest

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/bearer"
)

// Token is an access token to insert. Its zero value has no permission but api.access.
type Token struct {
	Of          string // e-mail address of its user; "": the administrator
	Permissions account.Permissions
	Filter      any // of items, as JSON
	Origins     []string
	PerMinute   int           // 0: 600
	Lifetime    time.Duration // 0: for ever
}

// InsertedToken is a client that uses an access token.
type InsertedToken struct {
	*Client
	ID     uuid.UUID
	Secret string
}

// InsertToken inserts an access token into the database, without any check.
func (n *Node) InsertToken(t Token) InsertedToken {
	n.T.Helper()
	if t.Of == "" {
		t.Of = AdminEmail
	}
	if t.PerMinute == 0 {
		t.PerMinute = 600
	}
	var filter []byte
	if t.Filter != nil {
		var err error
		if filter, err = json.Marshal(t.Filter); err != nil {
			n.T.Fatal(err)
		}
	}
	var expires *time.Time
	if t.Lifetime != 0 {
		expires = new(time.Now().Add(t.Lifetime))
	}
	made, digest := secret.New()
	id := uuid.Must(uuid.NewV7())
	_, err := n.Pool.Exec(n.T.Context(), `INSERT INTO access_token (id, account_id, user_id, name, permissions, filter,
		origins, requests_per_minute, digest, expires_at, created_by)
		SELECT $1, account_id, id, 'a test', $2, $3, $4, $5, $6, $7, id FROM app_user WHERE email = $8`,
		id, t.Permissions.Strings(), filter, append([]string{}, t.Origins...), t.PerMinute, digest[:], expires, t.Of)
	if err != nil {
		n.T.Fatal(err)
	}
	return InsertedToken{n.WithAuthorization(bearer.Authorization(made)), id, made}
}
