package core_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// slowRequest is a request that has been admitted, and whose body the client has not sent.
type slowRequest struct {
	t    testing.TB
	conn net.Conn
	from *bufio.Reader
	body string
}

// beginRequest sends a request's head as a user.
func beginRequest(n *nodetest.Node, email, path, body string) *slowRequest {
	n.T.Helper()
	return beginRequestAs(n, nodetest.BasicAuth(email, nodetest.UserPassword), path, body)
}

// beginRequestAs sends a request's head. The server asks for the body (100 Continue, RFC 9110 §10.1.1) only after it has
// admitted the user.
func beginRequestAs(n *nodetest.Node, authorization, path, body string) *slowRequest {
	n.T.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
	if err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(nodetest.Timeout))
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		path, authorization, len(body))
	from := bufio.NewReader(conn)
	if line, err := from.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		n.T.Fatalf("the request gets %q, %v", line, err)
	}
	_, _ = from.ReadString('\n')
	return &slowRequest{n.T, conn, from, body}
}

// end sends the body and returns the response.
func (r *slowRequest) end() nodetest.Response {
	r.t.Helper()
	_, _ = io.WriteString(r.conn, r.body)
	response, err := http.ReadResponse(r.from, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return nodetest.Response{Status: response.StatusCode, Header: response.Header, Body: raw}
}

// Permissions are checked again in the transaction: the user may have been removed while the body was uploading.
func TestUsers_ARemovedUsersUnfinishedRequestChangesNothing(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	administrator := n.RoleID("Administrator")
	less := n.CreateRole("Less", account.APIAccess, account.UsersManage, account.WorkflowsManage)
	for name, c := range map[string]struct {
		meanwhile string
		path      string
		body      string
		status    int
	}{
		"off": {
			`{"active":false}`, "/api/v1/users",
			`{"email":"back@example.com","role_id":"` + administrator + `"}`, http.StatusUnauthorized,
		},
		"password": {
			`{"password":"another one made of snow"}`, "/api/v1/roles",
			`{"name":"Back","permissions":[]}`, http.StatusUnauthorized,
		},
		"demoted": {
			`{"role_id":"` + n.RoleID("Viewer") + `"}`, "/api/v1/roles",
			`{"name":"Back","permissions":[]}`, http.StatusForbidden,
		},
		"less": {
			`{"role_id":"` + less + `"}`, "/api/v1/roles",
			`{"name":"Back","permissions":["items.delete"]}`, http.StatusForbidden,
		},
		"a profile": {
			`{"active":false}`, "/api/v1/workflow-profiles", `{"name":"Back"}`, http.StatusUnauthorized,
		},
	} {
		email := strings.ReplaceAll(name, " ", ".") + "@example.com"
		n.CreateUser(email, administrator)
		request := beginRequest(n, email, c.path, c.body)
		n.Call(http.MethodPatch, "/api/v1/users/"+n.UserID(email), c.meanwhile).WantStatus(t, http.StatusOK)
		if got := request.end(); got.Status != c.status {
			t.Errorf("%s: got %d %s, want %d", name, got.Status, got.Body, c.status)
		}
	}
	n.CreateUser("still@example.com", less)
	if got := beginRequest(n, "still@example.com", "/api/v1/roles",
		`{"name":"Made","permissions":[]}`).end(); got.Status != http.StatusCreated {
		t.Errorf("a user who keeps the permissions: %d %s", got.Status, got.Body)
	}
}
