package bench

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/db/dbtest"
)

func TestBroadcast_ReadsTheLogOnlyWhileSomeoneFollows(t *testing.T) {
	t.Parallel()
	b := &broadcast{url: dbtest.URL(t)}
	server := httptest.NewServer(http.HandlerFunc(b.join))
	defer server.Close()
	conn, err := pgx.Connect(t.Context(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	others := func() (count int) {
		const query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()" +
			" AND backend_type = 'client backend'"
		if err := conn.QueryRow(t.Context(), query).Scan(&count); err != nil {
			t.Fatal(err)
		}
		return count
	}
	if got := others(); got != 0 {
		t.Fatalf("%d connections to Postgres before anyone follows", got)
	}
	all, err := openFollowers(t.Context(), 3, (&baselineProcess{addr: server.Listener.Addr().String()}).dialFollower)
	if err != nil {
		t.Fatal(err)
	}
	if got := others(); got != 1 {
		t.Errorf("%d connections to Postgres while three follow", got)
	}
	all.close()
	b.following.Wait()
	for others() > 0 { // Postgres notices the end of a connection a little later
		if err := sleep(t.Context(), pollInterval); err != nil {
			t.Fatalf("Postgres still has a connection when all have left: %v", err)
		}
	}
}
