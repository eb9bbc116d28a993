package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// A slow import or export does not outlast its user's permissions.
func TestTransfer_EndsWithItsUsersPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		status    int
	}{
		"user":   {"UPDATE app_user SET active = false", http.StatusUnauthorized},
		"access": {"UPDATE role SET permissions = ARRAY['items.view', 'items.create', 'items.edit']", http.StatusForbidden},
		// the client retries, and then gets 403
		"role": {"UPDATE role SET permissions = ARRAY['api.access']", http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener := nodetest.ListenWatched(t)
			n, _ := nodetest.Serve(t, dbtest.New(t), listener)
			const large = 120 // together more than all buffers hold
			lines := strings.Repeat(`{"name":"large","client_data":{"x":"`+strings.Repeat("x", 60_000)+`"}}`+"\n", large)
			n.Call(http.MethodPost, "/api/v1/items/import", lines, "Content-Type", "application/x-ndjson").
				WantStatus(t, http.StatusOK)

			connections := make(chan net.Conn, 2)
			client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network,
				address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if err == nil {
					connections <- conn
					err = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
				}
				return conn, err
			}}}
			t.Cleanup(client.CloseIdleConnections)
			begin := func(method, path string, body io.Reader) <-chan *http.Response {
				answered := make(chan *http.Response, 1)
				request, err := http.NewRequestWithContext(t.Context(), method, n.URL+path, body)
				if err != nil {
					t.Fatal(err)
				}
				request.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
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
			export := nodetest.Next(t, begin(http.MethodGet, "/api/v1/items/export", http.NoBody))
			defer export.Body.Close()
			exporting := nodetest.Next(t, connections)
			body, sent := io.Pipe()
			defer sent.Close()
			answered := begin(http.MethodPost, "/api/v1/items/import", body)
			// and the client sends no more
			if _, err := io.WriteString(sent, strings.Repeat(`{"name":"small"}`+"\n", 150)); err != nil {
				t.Fatal(err)
			}
			nodetest.AwaitItems(t, n.Pool, large+100)
			if _, err := n.Pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			imported := nodetest.Next(t, answered)
			defer imported.Body.Close()
			if imported.StatusCode != c.status {
				t.Errorf("the import ends with %s, want %d", imported.Status, c.status)
			}
			if got := nodetest.CountItems(t, n.Pool); got != large+100 {
				t.Errorf("%d items", got)
			}
			listener.AwaitClose(t, exporting, nodetest.Timeout) // reading before that would let the export continue
			if read, err := io.Copy(io.Discard, export.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the export ends after %d bytes with %v", read, err)
			}
		})
	}
}

// A stranger's request has deadlines, even if its operation streams.
func TestDeadlines_OnlyUsersMayStream(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for name, head := range map[string]string{
		"import":  "POST /api/v1/items/import HTTP/1.1\r\nContent-Type: application/x-ndjson\r\n",
		"changes": "POST /api/v1/changes HTTP/1.1\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = fmt.Fprintf(conn, "%sHost: x\r\nContent-Length: 100000\r\n\r\n{", head)
		_ = conn.SetReadDeadline(time.Now().Add(55 * time.Second))
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

func TestCSRF_AnotherOriginCannotChangeAnything(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"forged"}`, "Origin", "https://evil.example", "Sec-Fetch-Site",
		"cross-site").WantStatus(t, http.StatusForbidden)
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"ours"}`, "Origin", n.URL, "Sec-Fetch-Site", "same-origin").
		WantStatus(t, http.StatusCreated)
}
