package nodetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/password"
	"itemcast/internal/db/dbtest"
)

// The administrator of a test's first account.
const (
	AdminEmail    = "admin@example.com"
	AdminPassword = "a password for tests"
)

// UserPassword is the password of users from CreateUser.
const UserPassword = "a bicycle made of rain"

// StrangerEmail is the address of the administrator of another account; the password is AdminPassword.
const StrangerEmail = "stranger@example.com"

// CreateItem creates an item and returns its id.
func (c *Client) CreateItem(body string) (id string) {
	c.T.Helper()
	return c.create("/api/v1/items", body)
}

// PatchItem changes an item.
func (c *Client) PatchItem(id, body string) Response {
	c.T.Helper()
	return c.Call(http.MethodPatch, "/api/v1/items/"+id, body).WantStatus(c.T, http.StatusOK)
}

// CreateHook creates a hook and returns its path.
func (c *Client) CreateHook(settings string) (path string) {
	c.T.Helper()
	return "/api/v1/hooks/" + c.create("/api/v1/hooks", settings)
}

// PathID returns the id at the end of a path.
func PathID(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// CreateProfile creates a workflow profile and returns its id. With roles, it is limited to them.
func (c *Client) CreateProfile(name string, roleIDs ...string) (id string) {
	c.T.Helper()
	body := map[string]any{"name": name, "role_ids": append([]string{}, roleIDs...)}
	return c.create("/api/v1/workflow-profiles", c.json(body))
}

// CreateRole creates a role and returns its id.
func (c *Client) CreateRole(name string, permissions ...account.Permission) (id string) {
	c.T.Helper()
	body := map[string]any{"name": name, "permissions": account.Permissions(permissions).Strings()}
	return c.create("/api/v1/roles", c.json(body))
}

// RoleID returns the id of a role.
func (c *Client) RoleID(name string) string {
	c.T.Helper()
	return c.find("/api/v1/roles", "name", name)
}

// CreateUser creates a person and returns a client for that user.
func (c *Client) CreateUser(email, roleID string) *Client {
	c.T.Helper()
	c.create("/api/v1/users", fmt.Sprintf(`{"email":%q,"role_id":%q,"password":%q}`, email, roleID, UserPassword))
	return c.As(email, UserPassword)
}

// UserID returns the id of a user.
func (c *Client) UserID(email string) string {
	c.T.Helper()
	return c.find("/api/v1/users", "email", email)
}

// CreateEditor creates a role with every permission on items, and a user with that role.
func (c *Client) CreateEditor(name string) (editor *Client, roleID string) {
	c.T.Helper()
	role := c.CreateRole(name, account.APIAccess, account.ItemsView, account.ItemsCreate, account.ItemsEdit,
		account.ItemsDelete, account.ItemsPublish)
	return c.CreateUser(name+"@example.com", role), role
}

// CreateStranger creates another account and returns a client for its administrator.
func (n *Node) CreateStranger() *Client {
	n.T.Helper()
	hash, err := password.Hash(n.T.Context(), AdminPassword)
	if err != nil {
		n.T.Fatal(err)
	}
	ctx, other, role := n.T.Context(), uuid.New(), uuid.New()
	stranger := dbtest.User{
		ID: uuid.New(), Account: other, Role: role, Email: StrangerEmail, Name: "Stranger", PasswordHash: hash,
	}
	for _, err := range []error{
		dbtest.InsertAccount(ctx, n.Pool, other, "Other"),
		dbtest.InsertRole(ctx, n.Pool, role, other, "Administrator", account.All().Strings()...),
		dbtest.InsertUser(ctx, n.Pool, stranger),
	} {
		if err != nil {
			n.T.Fatal(err)
		}
	}
	return n.As(StrangerEmail, AdminPassword)
}

func (c *Client) create(path, body string) (id string) {
	c.T.Helper()
	return c.Call(http.MethodPost, path, body).WantStatus(c.T, http.StatusCreated).Field(c.T, "id")
}

func (c *Client) find(path, field, value string) (id string) {
	c.T.Helper()
	for _, result := range c.Call(http.MethodGet, path, "").WantStatus(c.T, http.StatusOK).Results(c.T) {
		if result[field] == value {
			return result["id"].(string)
		}
	}
	c.T.Fatalf("%s has no %s", path, value)
	return ""
}

func (c *Client) json(value any) string {
	c.T.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		c.T.Fatal(err)
	}
	return string(raw)
}
