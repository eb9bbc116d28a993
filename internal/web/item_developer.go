package web

import (
	"net/url"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// developerView is the Developer menu of an item.
type developerView struct {
	Action     string
	Hooks      int    // that Trigger POST Item Hook would send the item to; 0: the menu does not have it
	JSON       string // address
	Playground string // address, with a query for this item
	Embed      string // the code; "" for none
	Curl       string
}

func (c *call) developer(i *item.Item) (developerView, error) {
	id := i.ID.String()
	user := c.actor.ShownEmail()
	if user == "" {
		user = "YOU@example.com"
	}
	v := developerView{Action: c.itemPath(i.ID), JSON: c.pages.root + "api/v1/items/" + id + "?format=json",
		Playground: c.pages.root + "graphql#" + url.Values{"query": {playgroundQuery(id)}}.Encode(),
		Curl:       "curl -u " + shellQuote(user) + " " + shellQuote(i.URL)}
	if i.EmbedCode != nil {
		v.Embed = *i.EmbedCode
	}
	if !c.may(account.ItemsEdit) {
		return v, nil
	}
	hooks, err := c.pages.Hooks.Targets(c.Context(), i)
	v.Hooks = len(hooks)
	return v, err
}

// playgroundQuery reads an item with the fields that people look for first.
func playgroundQuery(id string) string {
	return `query Item {
  item(id: "` + id + `") {
    id
    name
    type
    privacy
    tags
    metadata
    assets { kind url contentType }
    workflow { status currentAction }
    revision
  }
}
`
}

// shellQuote quotes a text for a shell, where it needs that.
func shellQuote(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// trigger sends the item to its hooks, and says to which. What comes of it appears among the deliveries.
func (c *call) trigger(i *item.Item) (notice, error) {
	triggered, err := c.pages.Hooks.Trigger(c.Context(), i.ID)
	if problem.Is(err, problem.NoHook) {
		return notice{Key: "trigger.nohook", IsProblem: true}, nil
	}
	if err != nil {
		return notice{}, err
	}
	n := len(triggered.Hooks)
	sent := notice{Key: "trigger.sent", Count: &n, Arguments: []any{""}}
	if !c.may(account.HooksManage) {
		return sent, nil
	}
	urls, err := c.hookURLs()
	if err != nil {
		return notice{}, err
	}
	var to []string
	for _, id := range triggered.Hooks {
		to = append(to, urls[id])
	}
	const shown = 5
	if len(to) > shown {
		to = append(to[:shown], "…")
	}
	sent.Arguments = []any{": " + strings.Join(to, ", ")}
	return sent, nil
}
