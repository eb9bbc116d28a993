package signin

import (
	"slices"
	"testing"
)

// Every node knows which origins the tokens name that have not expired.
func TestOrigins_EveryNodeKnowsThoseOfTheTokens(t *testing.T) {
	b := setup(t)
	nodes := []*Service{b.service, b.run()}
	const page, other = "https://www.example.com", "http://localhost:5173"
	insert := func(name, origins, expires string) {
		b.exec(`INSERT INTO access_token (id, account_id, user_id, name, permissions, origins, digest, expires_at)
			SELECT gen_random_uuid(), account_id, id, $1, '{items.view}', $2::text[], sha256(convert_to($1, 'UTF8')), `+expires+`
			FROM app_user LIMIT 1`, name, origins)
	}
	want := func(allowed ...string) {
		t.Helper()
		for _, node := range nodes {
			b.until("the node to know the origins", func() bool {
				for _, origin := range []string{page, other, "null", "", "https://www.example.com:443", "https://example.com"} {
					if node.AllowsOrigin(origin) != slices.Contains(allowed, origin) {
						return false
					}
				}
				return true
			})
		}
	}
	want()
	insert("one", "{"+page+","+other+"}", "NULL")
	want(page, other)
	insert("brief", "{"+page+"}", "now() + interval '1 hour'")
	insert("none", "{}", "NULL")
	b.exec("UPDATE access_token SET origins = '{" + other + "}' WHERE name = 'one'")
	want(page, other)
	b.exec("UPDATE access_token SET expires_at = now() + interval '300 ms' WHERE name = 'brief'")
	want(other)
	b.exec("DELETE FROM access_token")
	want()
}
