package browse_test

import (
	"net/http"
	"net/url"
	"testing"

	"itemcast/internal/account"
)

const aThing = `{"id":"a b","name":"Cup","parts":[{"name":"handle","state":"straight"},` +
	`{"name":"rim","state":"bent"},{"name":"a/b?","state":"straight"},{"state":"straight"}]}`

// The contract's links lead to the operations that the answer allows, for each element that fulfils their conditions.
func TestPage_OffersTheNextStepsOfAnAnswer(t *testing.T) {
	t.Parallel()
	page := setup(t, answering(http.StatusOK, aThing)).open("/api/t/things/1").status(http.StatusOK)
	page.has(`<h2 id="steps">Next</h2>`, `<a href="/api/t/things/a%20b/bend/handle">Bend a part</a>`,
		`<a href="/api/t/things/a%20b/bend/a%2Fb%3F">Bend a part</a>`)
	page.lacks(`/bend/rim`, `/bend/"`)
	setup(t, answering(http.StatusOK, aThing), as(account.APIAccess, account.ItemsView)).open("/api/t/things/1").
		status(http.StatusOK).lacks(`/bend/`)
	for _, answer := range []string{`{}`, `[]`, `7`, `{"id":"a","parts":{}}`, `{"id":"a","parts":[7]}`} {
		setup(t, answering(http.StatusOK, answer)).open("/api/t/things/1").status(http.StatusOK).lacks(`<h2 id="steps">`)
	}
}

// An operation is not offered where the answer says that it is of no use, and where nothing was found.
func TestPage_OffersNoOperationThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	const poke = `href="/api/t/things/1/poke"`
	for _, useful := range []string{aThing, `{}`, `{"name":null,"parts":[]}`, `[]`, `{"name":["Stone"]}`} {
		setup(t, answering(http.StatusOK, useful)).open("/api/t/things/1").status(http.StatusOK).has(poke)
	}
	for _, useless := range []string{`{"name":"Stone"}`, `{"name":"Rock"}`, `{"name":"Cup","parts":null}`} {
		setup(t, answering(http.StatusOK, useless)).open("/api/t/things/1").status(http.StatusOK).lacks(poke)
	}
	setup(t, answering(http.StatusNotFound, `{}`)).open("/api/t/things/1").status(http.StatusNotFound).lacks(poke)
}

// A value links to where the contract's link leads, before what its name means elsewhere.
func TestPage_AValueLeadsWhereItsLinkLeads(t *testing.T) {
	t.Parallel()
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	answer := `{"results":[{"kind_id":"` + id + `"}]}`
	setup(t, answering(http.StatusOK, answer)).open("/api/t/bends").
		has(`<a href="/api/t/parts/` + id + `/list">` + id + `</a>`)
	setup(t, answering(http.StatusOK, answer)).open("/api/t/things").has(`<a href="/api/t/keys/` + id + `">` + id + `</a>`)
}

// An action that answers with what it changed leads back there.
func TestSubmit_AnActionLeadsToWhatItChanged(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, aThing))
	s.post("/api/t/things/1/bend/handle", url.Values{"_method": {"POST"}}).leadsTo("/api/t/things/1")
}
