package oneshot_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/upload/ticket"
)

const page = "https://app.example"

func TestUpload_APreflightAllowsAnyPageAndNoCookie(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, in.URL+"/api/v1/uploads", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"},
		"Access-Control-Request-Headers": {ticket.InfoName + "," + ticket.SignatureName}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	h := response.Header
	if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" ||
		!strings.Contains(h.Get("Access-Control-Allow-Headers"), ticket.InfoName) ||
		h.Get("Access-Control-Allow-Methods") != "POST" {
		t.Errorf("got %s %v", response.Status, h)
	}
}

func TestUpload_AScriptNeedsItsOriginAndAFormDoesNot(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"origins": []string{page}})
	body := form(fileNamed("clip.mp4", clip(5000)))
	script := func(origin string) http.Header {
		return http.Header{"Origin": {origin}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"cross-site"}}
	}
	navigation := http.Header{"Origin": {"https://other.example"}, "Sec-Fetch-Mode": {"navigate"},
		"Sec-Fetch-Site": {"cross-site"}, "Accept": {"text/html,*/*;q=0.8"}}
	for name, c := range map[string]struct {
		header  http.Header
		wrong   bool // the ticket
		status  int
		allowed string
	}{
		"a listed page":             {script(page), false, http.StatusCreated, page},
		"a listed page, wrong":      {script(page), true, http.StatusUnauthorized, page},
		"another page":              {script("https://other.example"), false, http.StatusForbidden, ""},
		"a sandboxed page":          {script("null"), false, http.StatusForbidden, ""},
		"a program with an origin":  {http.Header{"Origin": {"https://other.example"}}, false, http.StatusForbidden, ""},
		"a form of another page":    {navigation, false, http.StatusCreated, ""},
		"no page":                   {http.Header{}, false, http.StatusCreated, ""},
		"a page of this server":     {http.Header{"Origin": {in.URL}}, false, http.StatusCreated, ""},
		"a script of another site ": {http.Header{"Origin": {"https://app.example.evil"}}, false, http.StatusForbidden, ""},
	} {
		header := in.sign(t, in.claims())
		if c.wrong {
			header.Set(ticket.SignatureName, strings.Repeat("0", 64))
		}
		for key, values := range c.header {
			header[key] = values
		}
		got := in.send(t, header, body)
		if got.Status != c.status || got.Header.Get("Access-Control-Allow-Origin") != c.allowed ||
			got.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: got %d %v %s", name, got.Status, got.Header, got.Body)
		}
	}
}

func TestUpload_CookiesAndOtherCredentialsHaveNoEffect(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	browser := in.Browser()
	in.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	body := form(fileNamed("clip.mp4", clip(5000)))
	credentials := http.Header{"Cookie": {in.Cookies(browser)}, "Authorization": {in.Authorization}}
	in.send(t, credentials, body).WantProblem(t, "no ticket", http.StatusUnauthorized, "TICKET_MISSING")

	header := in.sign(t, in.claims())
	header["Cookie"], header["Authorization"] = credentials["Cookie"], []string{"Bearer ict_wrong"}
	got := in.send(t, header, body).WantStatus(t, http.StatusCreated)
	if by := got.Results(t)[0]["created_by"]; by != nil {
		t.Errorf("the item is made by %v", by)
	}
}
