package nodetest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/password"
	"itemcast/internal/db/dbtest"
)

// role makes a role, and returns its id.
func (n *Client) CreateRole(name string, permissions ...account.Permission) string {
	n.T.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "permissions": account.Permissions(permissions).Strings()})
	if err != nil {
		n.T.Fatal(err)
	}
	return n.Call(http.MethodPost, "/api/v1/roles", string(body)).WantStatus(n.T, http.StatusCreated).Field(n.T, "id")
}

// roleNamed finds a role that there is.
func (n *Client) RoleID(name string) string {
	n.T.Helper()
	var list struct{ Results []struct{ ID, Name string } }
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/roles", "").WantStatus(n.T, http.StatusOK).Body, &list); err != nil {
		n.T.Fatal(err)
	}
	for _, r := range list.Results {
		if r.Name == name {
			return r.ID
		}
	}
	n.T.Fatalf("there is no role %s", name)
	return ""
}

const UserPassword = "a bicycle made of rain"

// person makes a user of a role, and calls as that user.
func (n *Client) CreateUser(email, role string) *Client {
	n.T.Helper()
	n.Call(http.MethodPost, "/api/v1/users", fmt.Sprintf(`{"email":%q,"role_id":%q,"password":%q}`, email, role, UserPassword)).WantStatus(n.T, http.StatusCreated)
	return n.As(email, UserPassword)
}

func (n *Client) UserID(email string) string {
	n.T.Helper()
	var list struct{ Results []struct{ ID, Email string } }
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/users", "").WantStatus(n.T, http.StatusOK).Body, &list); err != nil {
		n.T.Fatal(err)
	}
	for _, u := range list.Results {
		if u.Email == email {
			return u.ID
		}
	}
	n.T.Fatalf("there is no user %s", email)
	return ""
}

// editor makes a role that may do all with items, and a user of it.
func (n *Client) CreateEditor(name string) (*Client, string) {
	n.T.Helper()
	role := n.CreateRole(name, account.APIAccess, account.ItemsView, account.ItemsCreate, account.ItemsEdit, account.ItemsDelete, account.ItemsPublish)
	return n.CreateUser(name+"@example.com", role), role
}

const StrangerEmail = "stranger@example.com"

// makeStranger makes an administrator of another account; the password is the first administrator's.
func (n *Node) CreateStranger() {
	n.T.Helper()
	hash, err := password.Hash(n.T.Context(), AdminPassword)
	if err != nil {
		n.T.Fatal(err)
	}
	other, role := uuid.New(), uuid.New()
	for _, err := range []error{
		dbtest.InsertAccount(n.T.Context(), n.Pool, other, "Other"),
		dbtest.InsertRole(n.T.Context(), n.Pool, role, other, "Administrator", account.All().Strings()...),
		dbtest.InsertUser(n.T.Context(), n.Pool, dbtest.User{ID: uuid.New(), Account: other, Role: role, Email: StrangerEmail, Name: "Stranger", PasswordHash: hash}),
	} {
		if err != nil {
			n.T.Fatal(err)
		}
	}
}

func BasicAuth(email, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+password))
}
