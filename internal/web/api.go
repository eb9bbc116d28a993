package web

import (
	"net/http"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// apiView is what api.html shows. Each part is made by the file of its name.
type apiView struct {
	Root     string
	Secret   *secretView // of what the form before this page has made
	Examples []example
	Hooks    *hooksView // nil for users who may not see them
	Tokens   *tokensView
	Tickets  *ticketsView // nil for users who may not sign tickets
}

// example is a program for this server that works when it is pasted.
type example struct{ ID, Title, Code string }

// secretView is a secret that is shown once: here, on the page that answers the form that has made it.
type secretView struct {
	Of      string // what it belongs to
	Secret  string
	Example string // a command that uses it; "" for none
}

func (v *apiView) apiAddress() string { return v.Root + "api/v1/" }

var apiScreen = newScreen("api.html", "api_hooks.html", "api_tokens.html", "api_tickets.html", "secret.html",
	"health.html")

// API serves the page for people who connect programs: the ways in, hooks, access tokens, and upload tickets.
func (p *Pages) API() http.Handler { return p.serve((*call).showAPI, (*call).changeAPI) }

func (c *call) showAPI() error { return c.writeAPI(http.StatusOK, apiView{}) }

// writeAPI answers with the page. What the caller has filled in stays: a form with what is wrong, a secret, a ticket.
func (c *call) writeAPI(status int, v apiView) (err error) {
	v.Root, v.Examples = c.pages.root, c.examples()
	if c.may(account.HooksManage) {
		if v.Hooks, err = c.hooks(v.Hooks); err != nil {
			return err
		}
	}
	if v.Tokens, err = c.tokens(v.Tokens); err != nil {
		return err
	}
	if c.may(account.WorkflowsManage) {
		if v.Tickets, err = c.tickets(v.Tickets); err != nil {
			return err
		}
	}
	c.show(apiScreen, status, &v)
	return nil
}

func (c *call) apiPath() string { return c.pages.root + "api" }

// changeAPI does what a form of the page says.
func (c *call) changeAPI() error {
	switch c.value("do") {
	case "token":
		return c.addToken()
	case "revoke":
		return c.revokeToken()
	case "ticket":
		return c.signTickets()
	case "uploadsecret":
		return c.rotateUploadSecret()
	case "add":
		return c.addHook()
	}
	return c.changeHooks()
}

// refusal returns what a service refuses; nil for success and for errors that are not the user's.
func refusal(err error) *problem.Error {
	if wrong := problem.Of(err); wrong != nil && wrong.Code.Status() < http.StatusInternalServerError {
		return wrong
	}
	return nil
}

// examples are programs that work when they are pasted; each asks for the password, or takes it from the environment.
func (c *call) examples() []example {
	user := c.actor.ShownEmail()
	if user == "" {
		user = "YOU@example.com"
	}
	url := c.serverURL() + "/api/v1/items"
	fill := strings.NewReplacer("URL", url, "USER", user).Replace
	return []example{
		{"curl", "curl", fill("curl -u USER URL")},
		{"go", "Go", fill(`package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	request, err := http.NewRequest("GET", "URL", nil)
	if err != nil {
		log.Fatal(err)
	}
	request.SetBasicAuth("USER", os.Getenv("ITEMCAST_PASSWORD"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body)
}`)},
		{"javascript", "JavaScript", fill("const credentials = btoa(`USER:${process.env.ITEMCAST_PASSWORD}`);\n" +
			"const response = await fetch('URL', { headers: { authorization: `Basic ${credentials}` } });\n" +
			"const { results } = await response.json();\nconsole.log(results);")},
		{"python", "Python", fill(`import os, requests

response = requests.get("URL", auth=("USER", os.environ["ITEMCAST_PASSWORD"]))
response.raise_for_status()
print(response.json()["results"])`)},
	}
}

// serverURL is the public URL, without a slash at its end.
func (c *call) serverURL() string { return strings.TrimRight(c.pages.PublicURL, "/") }
