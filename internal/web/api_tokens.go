package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/token"
)

// tokensView is the panel of access tokens: the user's own, and with users.manage those of all.
type tokensView struct {
	Action string
	Tokens []tokenView
	Form   formView
	More   string // address of the whole list; "" if this is all
	Refuse string // why this user has none here
}

type tokenView struct {
	ID          string
	Name        string
	User        string // "" for the user's own
	Permissions string
	Filter      string
	Origins     string
	Expires     *moment
	Expired     bool
	LastUsed    string // "" for never
	API         string // address
}

// tokensPerPage is the number of tokens of the panel.
const tokensPerPage = 100

// tokens returns the panel, with a form that has been sent. Who has come with a token sees none.
func (c *call) tokens(sent *tokensView) (*tokensView, error) {
	v := sent
	if v == nil {
		v = &tokensView{Form: c.tokenForm()}
	}
	v.Action = c.apiPath()
	found, next, err := c.pages.Tokens.List(c.Context(), nil, tokensPerPage, "")
	if problem.Is(err, problem.Forbidden) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if next != "" {
		v.More = c.pages.root + "api/v1/tokens"
	}
	for n := range found {
		v.Tokens = append(v.Tokens, c.token(&found[n]))
	}
	return v, nil
}

func (c *call) token(t *token.Token) tokenView {
	v := tokenView{ID: t.ID.String(), Name: t.Name, Permissions: strings.Join(t.Permissions, ", "),
		Filter: c.filterText(t.Filter), Origins: strings.Join(t.Origins, ", "),
		API: c.pages.root + "api/v1/tokens/" + t.ID.String()}
	if t.UserID != c.actor.UserID {
		v.User = t.User
	}
	if t.ExpiresAt != nil {
		v.Expires, v.Expired = new(momentOf(c.text, *t.ExpiresAt)), time.Now().After(*t.ExpiresAt)
	}
	if t.LastUsedOn != "" {
		v.LastUsed = c.text.Get("token.lastused", t.LastUsedOn, t.LastUsedFrom, c.text.Number(t.RequestsLastDay))
	}
	return v
}

// tokenLifetimes are the choices for a new token's end, in days; 0: it has none.
var tokenLifetimes = []int{1, 7, 30, 90, 365, 0}

const defaultTokenLifetime = 90 // days

// tokenForm is the form of a new token. Its fields have a prefix: the form of a new hook is on the page too.
func (c *call) tokenForm() formView {
	permissions := field{Name: "permissions", Label: c.text.Get("token.permissions"), Kind: "boxes"}
	for _, p := range account.All() {
		if c.may(p) {
			permissions.Options = append(permissions.Options,
				option{string(p), string(p), p == account.APIAccess || p == account.ItemsView})
		}
	}
	expires := field{Name: "expires_at", Label: c.text.Get("token.expires"), Kind: "choice"}
	for _, days := range tokenLifetimes {
		value := strconv.Itoa(days)
		expires.Options = append(expires.Options,
			option{value, c.text.Get("token.expires." + value), days == defaultTokenLifetime})
	}
	fields := append([]field{
		{Name: "name", Label: c.text.Get("token.name"), Hint: c.text.Get("token.name.hint"), Kind: "text", MaxLength: 100,
			Required: true},
		expires, permissions,
		{Name: "origins", Label: c.text.Get("token.origins"), Hint: c.text.Get("token.origins.hint"), Kind: "lines", Rows: 2},
	}, c.filterFields(nil)...)
	for n := range fields {
		fields[n].Form = "token-"
	}
	if c.value("do") == "token" {
		c.keepSent(fields)
	}
	return formView{Action: c.apiPath(), Fields: fields}
}

// addToken makes a token, and shows it. It is on no other page, so the answer is the page itself.
func (c *call) addToken() error {
	input := map[string]any{"name": c.value("name"), "permissions": nonNil(c.PostForm["permissions"]),
		"origins": lines(c.value("origins")), "filter": c.filterInput(nil)}
	if days, err := strconv.Atoi(c.value("expires_at")); err == nil && days > 0 {
		input["expires_at"] = time.Now().UTC().AddDate(0, 0, days)
	}
	made, secret, err := c.pages.Tokens.Create(c.Context(), mustJSON(input))
	if wrong := refusal(err); wrong != nil {
		return c.writeAPI(wrong.Code.Status(), apiView{Tokens: &tokensView{Form: c.wrongForm(c.tokenForm(), wrong)}})
	}
	if err != nil {
		return err
	}
	c.PostForm = nil
	return c.writeAPI(http.StatusCreated, apiView{Secret: &secretView{Of: made.Name, Secret: secret,
		Example: "curl -H 'authorization: Bearer " + secret + "' " + c.serverURL() + "/api/v1/items"}})
}

// nonNil returns a list as JSON has it: [] for none.
func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (c *call) revokeToken() error {
	id, err := uuid.Parse(c.value("token"))
	if err != nil {
		return problem.New(problem.BadRequest, "The form names no token.")
	}
	report := done("token.revoked")
	if err := c.pages.Tokens.Revoke(c.Context(), id, nil); err != nil {
		report = c.problemNotice(err)
	}
	return c.seeOther(c.apiPath()+"#tokens", report)
}
