package browse_test

import (
	"net/http"
	"testing"

	"itemcast/internal/problem"
)

func TestProblems_ArePages(t *testing.T) {
	t.Parallel()
	setup(t, failing(problem.New(problem.NotFound, "There is no <b>such</b> thing."))).open("/api/t/things/1").
		status(http.StatusNotFound).lacks(`id="patchThing"`).
		has(`NOT_FOUND`, `There is no &lt;b&gt;such&lt;/b&gt; thing.`, `404 Not Found`)
	setup(t, func(s *site) {
		s.respond = func(http.ResponseWriter, *http.Request) { panic("the handler fails") }
	}).open("/api/t/things").status(http.StatusInternalServerError).has(`INTERNAL`, `<!doctype html>`)
}
