package nodetest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Browser returns a client that keeps cookies and follows no redirects.
func (c *Client) Browser() *http.Client {
	c.T.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.T.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Jar: jar, CheckRedirect: stay}
}

// Submit sends a form, as a browser does.
func (c *Client) Submit(browser *http.Client, path string, form url.Values) Response {
	c.T.Helper()
	request := c.WithAuthorization("").newRequest(http.MethodPost, path, form.Encode())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.send(browser, request)
}

// Login signs a browser in by the page.
func (c *Client) Login(browser *http.Client, email, password string) Response {
	c.T.Helper()
	return c.Submit(browser, "/login", url.Values{"email": {email}, "password": {password}, "next": {"/api/v1/items"}})
}

// Page opens a page. The headers are as those of Call.
func (c *Client) Page(browser *http.Client, path string, header ...string) Response {
	c.T.Helper()
	request := c.newRequest(http.MethodGet, path, "")
	request.Header.Set("Accept", "text/html")
	setHeaders(request.Header, header)
	return c.send(browser, request)
}

// Cookies returns a browser's Cookie header for the server.
func (c *Client) Cookies(browser *http.Client) string {
	c.T.Helper()
	at, err := url.Parse(c.URL)
	if err != nil {
		c.T.Fatal(err)
	}
	var all []string
	for _, cookie := range browser.Jar.Cookies(at) {
		all = append(all, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(all, "; ")
}
