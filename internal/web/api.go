package web

import (
	"net/http"
	"strings"

	"itemcast/internal/account"
)

// apiView is what api.html shows.
type apiView struct {
	Root     string
	Examples []example
	Hooks    *hooksView // nil for users who may not see them
}

// example is a program that reads items of this server.
type example struct{ ID, Title, Code string }

func (v *apiView) apiAddress() string { return v.Root + "api/v1/" }

var apiScreen = newScreen("api.html", "api_hooks.html")

// API serves the page for people who connect programs: the ways in, and the hooks.
func (p *Pages) API() http.Handler { return p.serve((*call).showAPI, (*call).changeHooks) }

func (c *call) showAPI() error { return c.writeAPI(http.StatusOK, c.newHookForm(), nil) }

// writeAPI answers with the page, whose form of a new hook may have what the user has sent. A secret is shown once.
func (c *call) writeAPI(status int, form formView, secret *secretView) error {
	v := &apiView{Root: c.pages.root, Examples: c.examples()}
	if c.may(account.HooksManage) {
		var err error
		if v.Hooks, err = c.hooks(form, secret); err != nil {
			return err
		}
	}
	c.show(apiScreen, status, v)
	return nil
}

func (c *call) apiPath() string { return c.pages.root + "api" }

// examples are programs that work when they are pasted; each asks for the password, or takes it from the environment.
func (c *call) examples() []example {
	user := c.actor.ShownEmail()
	if user == "" {
		user = "YOU@example.com"
	}
	url := strings.TrimRight(c.pages.PublicURL, "/") + "/api/v1/items"
	fill := strings.NewReplacer("URL", url, "USER", user).Replace
	return []example{
		{"curl", "curl", fill("curl -u USER URL")},
		{"go", "Go", fill(`request, err := http.NewRequest("GET", "URL", nil)
if err != nil {
	log.Fatal(err)
}
request.SetBasicAuth("USER", os.Getenv("ITEMCAST_PASSWORD"))
response, err := http.DefaultClient.Do(request)`)},
		{"javascript", "JavaScript", fill("const credentials = btoa(`USER:${process.env.ITEMCAST_PASSWORD}`);\n" +
			"const response = await fetch('URL', { headers: { authorization: `Basic ${credentials}` } });\n" +
			"const { results } = await response.json();")},
		{"python", "Python", fill(`import os, requests

response = requests.get("URL", auth=("USER", os.environ["ITEMCAST_PASSWORD"]))
items = response.json()["results"]`)},
	}
}
