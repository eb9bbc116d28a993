package nodetest

import (
	"encoding/json"
	"net/http"
	"strings"
)

func (n *Client) CreateItem(body string) (id string) {
	n.T.Helper()
	return n.Call(http.MethodPost, "/api/v1/items", body).WantStatus(n.T, http.StatusCreated).Field(n.T, "id")
}

func (n *Client) PatchItem(id, body string) Response {
	n.T.Helper()
	return n.Call(http.MethodPatch, "/api/v1/items/"+id, body).WantStatus(n.T, http.StatusOK)
}

// makeHook makes a hook over REST and returns its path.
func (n *Client) CreateHook(settings string) string {
	n.T.Helper()
	return "/api/v1/hooks/" + n.Call(http.MethodPost, "/api/v1/hooks", settings).WantStatus(n.T, http.StatusCreated).Field(n.T, "id")
}

func PathID(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// limited makes a workflow profile that is limited to roles, and returns its id.
func (n *Client) CreateProfile(name string, roles ...string) string {
	n.T.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "role_ids": append([]string{}, roles...)})
	if err != nil {
		n.T.Fatal(err)
	}
	return n.Call(http.MethodPost, "/api/v1/workflow-profiles", string(body)).WantStatus(n.T, http.StatusCreated).Field(n.T, "id")
}
