package nodetest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// browser is a client that keeps cookies and follows no redirects.
func (n *Client) Browser() *http.Client {
	n.T.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		n.T.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (n *Client) Submit(c *http.Client, path string, form url.Values, header ...string) *http.Response {
	n.T.Helper()
	request, err := http.NewRequestWithContext(n.T.Context(), http.MethodPost, n.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		n.T.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := c.Do(request)
	if err != nil {
		n.T.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

func (n *Client) Login(c *http.Client, email, password string) *http.Response {
	n.T.Helper()
	return n.Submit(c, "/login", url.Values{"email": {email}, "password": {password}, "next": {"/api/v1/items"}})
}

// cookies are what a browser has for the node, as a header.
func (n *Client) Cookies(c *http.Client) string {
	n.T.Helper()
	at, err := url.Parse(n.URL)
	if err != nil {
		n.T.Fatal(err)
	}
	var all []string
	for _, cookie := range c.Jar.Cookies(at) {
		all = append(all, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(all, "; ")
}
