package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// bomb is a query that doubles with each of its fragments.
func bomb(fragments int) string {
	var query strings.Builder
	query.WriteString("{ me { ...A0 } }")
	for n := range fragments {
		fmt.Fprintf(&query, " fragment A%d on Me { ...A%d ...A%d }", n, n+1, n+1)
	}
	fmt.Fprintf(&query, " fragment A%d on Me { id }", fragments)
	return query.String()
}

// A small query that spreads into a huge one is refused at once.
func TestAttack_FragmentsThatDoubleAreMeasuredOnce(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	begun := time.Now()
	for _, fragments := range []int{14, 24, 40, 60} {
		if _, codes := n.operation(bomb(fragments), nil); len(codes) != 1 || codes[0] != "SIZE_LIMIT_EXCEEDED" {
			t.Errorf("%d fragments: %v", fragments, codes)
		}
	}
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("took %s", took)
	}
	if _, codes := n.operation(bomb(8), nil); codes != nil {
		t.Errorf("a harmless one: %v", codes)
	}
	if _, codes := n.operation("{ me { id } } #"+strings.Repeat("x", 40_000), nil); len(codes) != 1 || codes[0] != "QUERY_TOO_LONG" {
		t.Errorf("a long one: %v", codes)
	}
	var tags strings.Builder
	for k := range 100 {
		fmt.Fprintf(&tags, "t%d: tags { name } ", k)
	}
	if _, codes := n.operation("{"+tags.String()+"}", nil); len(codes) != 1 || codes[0] != "COMPLEXITY_LIMIT_EXCEEDED" {
		t.Errorf("a table read a hundred times: %v", codes)
	}
}

// closeCode reads until the server closes.
func (s *socket) closeCode() websocket.StatusCode {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := s.conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// Nobody gets anything parsed over a WebSocket without having signed in.
func TestAttack_AWebSocketWithoutCredentialsIsClosed(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.dial()
	s.send(map[string]any{"type": "connection_init"})
	if code := s.closeCode(); code != 4403 {
		t.Errorf("closed with %d", code)
	}
}

// Permissions are those of now on an open WebSocket too, for what it is told and for what it does.
func TestAttack_AWebSocketEndsWithItsUsersPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		code      websocket.StatusCode
	}{
		"user":    {"UPDATE app_user SET active = false", 4403},
		"access":  {"UPDATE role SET permissions = ARRAY['items.view']", 4403},
		"address": {"UPDATE app_user SET email = 'someone.else@example.com'", 4403},
		"role":    {"UPDATE role SET permissions = ARRAY['api.access', 'items.create']", 1001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t)
			s := n.subscribe(follow, nil)
			if _, err := n.pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if code := s.closeCode(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
			t.Logf("after %s", time.Since(begun))
		})
	}
}

// Who is slow to send an import, or to read an export, does not keep what the user may do no more.
func TestAttack_ATransferEndsWithItsUsersPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		status    int
	}{
		"user":   {"UPDATE app_user SET active = false", http.StatusUnauthorized},
		"access": {"UPDATE role SET permissions = ARRAY['items.view', 'items.create', 'items.edit']", http.StatusForbidden},
		"role":   {"UPDATE role SET permissions = ARRAY['api.access']", http.StatusServiceUnavailable}, // and who sends it again is told why
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t)
			const large = 120 // more of them than all buffers on the way hold
			lines := strings.Repeat(`{"name":"large","client_data":{"x":"`+strings.Repeat("x", 60_000)+`"}}`+"\n", large)
			n.call(http.MethodPost, "/api/v1/items/import", lines, "Content-Type", "application/x-ndjson").expect(t, http.StatusOK)

			client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if err == nil {
					err = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
				}
				return conn, err
			}}}
			t.Cleanup(client.CloseIdleConnections)
			begin := func(method, path string, body io.Reader) <-chan *http.Response {
				answered := make(chan *http.Response, 1)
				request, err := http.NewRequestWithContext(t.Context(), method, n.url+path, body)
				if err != nil {
					t.Fatal(err)
				}
				request.SetBasicAuth(adminEmail, adminPassword)
				request.Header.Set("Content-Type", "application/x-ndjson")
				go func() {
					response, err := client.Do(request)
					if err != nil {
						t.Error(err)
						return
					}
					answered <- response
				}()
				return answered
			}
			export := next(t, begin(http.MethodGet, "/api/v1/items/export", http.NoBody))
			defer export.Body.Close()
			body, sent := io.Pipe()
			defer sent.Close()
			answered := begin(http.MethodPost, "/api/v1/items/import", body)
			if _, err := io.WriteString(sent, strings.Repeat(`{"name":"small"}`+"\n", 150)); err != nil { // and nothing more
				t.Fatal(err)
			}
			awaitItems(t, n.pool, large+100)
			follower := n.subscribe(follow, nil)
			if _, err := n.pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			follower.closeCode() // when the transfers' turn has come, too
			imported := next(t, answered)
			defer imported.Body.Close()
			if imported.StatusCode != c.status {
				t.Errorf("the import ends with %s, want %d", imported.Status, c.status)
			}
			if got := countItems(t, n.pool); got != large+100 {
				t.Errorf("there are %d items", got)
			}
			if read, err := io.Copy(io.Discard, export.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the export ends after %d bytes with %v", read, err)
			}
		})
	}
}

// A stranger's request has deadlines, whatever it says that it is.
func TestAttack_OnlyWhoHasSignedInMayStream(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for name, head := range map[string]string{
		"import":  "POST /api/v1/items/import HTTP/1.1\r\nContent-Type: application/x-ndjson\r\n",
		"changes": "POST /api/v1/changes HTTP/1.1\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = fmt.Fprintf(conn, "%sHost: x\r\nContent-Length: 100000\r\n\r\n{", head)
		_ = conn.SetReadDeadline(time.Now().Add(patience + 35*time.Second))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", name, response.Status)
		}
	}
}

// The browser's own credentials are of no use to a page of another origin.
func TestAttack_AnotherOriginMayNotChangeAnything(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.call(http.MethodPost, "/api/v1/items", `{"name":"forged"}`, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").expect(t, http.StatusForbidden)
	n.call(http.MethodPost, "/api/v1/items", `{"name":"ours"}`, "Origin", n.url, "Sec-Fetch-Site", "same-origin").expect(t, http.StatusCreated)
}

// An item that is imported again after it was deleted goes on with its revisions: an old ETag does not fit it.
func TestAttack_AnItemThatComesBackGoesOn(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	made := n.call(http.MethodPost, "/api/v1/items", `{"name":"Laura"}`).expect(t, http.StatusCreated)
	path := "/api/v1/items/" + made.field(t, "id")
	n.call(http.MethodDelete, path, "").expect(t, http.StatusNoContent)
	n.call(http.MethodPost, "/api/v1/items/import", string(made.body)+"\n", "Content-Type", "application/x-ndjson").expect(t, http.StatusOK)
	if got := n.call(http.MethodGet, path, "").expect(t, http.StatusOK).header.Get("ETag"); got != `"3"` {
		t.Errorf("its revision is %s, want 3: it was made with 1 and deleted with 2", got)
	}
	n.call(http.MethodPatch, path, `{"name":"stale"}`, "If-Match", `"1"`).expect(t, http.StatusPreconditionFailed)
}

// Whatever is searched for, the answer is a list or a fault.
func TestAttack_AnythingCanBeSearchedFor(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for _, search := range []string{strings.Repeat("-", 40), strings.Repeat("-", 200), strings.Repeat("- ", 80), strings.Repeat("-a ", 60), strings.Repeat(`"`, 99),
		strings.Repeat("(", 150), strings.Repeat("!", 150), strings.Repeat("or ", 60), strings.Repeat(`-"`, 90), strings.Repeat("\t-", 90), "\u00a0-\u2028--", ":*", "a:*b & |"} {
		got := n.call(http.MethodGet, "/api/v1/items?search="+url.QueryEscape(search), "")
		if got.status != http.StatusOK && got.status != http.StatusBadRequest {
			t.Errorf("%.20q…: %d %s", search, got.status, got.body)
		}
	}
}

// Imports of the same items at the same time take turns.
func TestAttack_ImportsOfTheSameItemsAtOnceAllSucceed(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	ids := make([]uuid.UUID, 60)
	for k := range ids {
		ids[k] = uuid.Must(uuid.NewV7())
	}
	var imports errgroup.Group
	for k := range 6 {
		var lines strings.Builder
		for at := range ids {
			if k%2 == 1 {
				at = len(ids) - 1 - at
			}
			fmt.Fprintf(&lines, `{"id":"%s","name":"by %d"}`+"\n", ids[at], k)
		}
		imports.Go(func() error {
			if got := n.call(http.MethodPost, "/api/v1/items/import", lines.String(), "Content-Type", "application/x-ndjson"); got.status != http.StatusOK {
				return fmt.Errorf("import %d: %d %s", k, got.status, got.body)
			}
			return nil
		})
	}
	if err := imports.Wait(); err != nil {
		t.Error(err)
	}
}
