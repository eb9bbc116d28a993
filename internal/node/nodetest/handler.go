package nodetest

import (
	"bytes"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
)

// labelled marks the goroutines of requests with their URLs, for AwaitHandler.
func labelled(url string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer pprof.SetGoroutineLabels(r.Context())
		pprof.SetGoroutineLabels(pprof.WithLabels(r.Context(), pprof.Labels("url", url+r.RequestURI)))
		next.ServeHTTP(w, r)
	})
}

// AwaitHandler waits until a request whose URI contains text has come as far as a function, such as
// "live.(*Subscription).Wait". That a client has sent the request, or that it has arrived, says nothing of this.
func (n *Node) AwaitHandler(text, function string) {
	n.T.Helper()
	var stacks []string // of the request, for the failure's text
	defer func() {
		if n.T.Failed() {
			n.T.Logf("the goroutines of this request:\n%s", strings.Join(stacks, "\n\n"))
		}
	}()
	Eventually(n.T, text+" reaches "+function, func() bool {
		stacks = nil
		for stack := range strings.SplitSeq(goroutines(n.T), "\n\n") {
			_, labels, found := strings.Cut(stack, "# labels: ")
			labels, frames, _ := strings.Cut(labels, "\n")
			if !found || !strings.Contains(labels, n.URL) || !strings.Contains(labels, text) {
				continue
			}
			if strings.Contains(frames, function) {
				return true
			}
			stacks = append(stacks, stack)
		}
		return false
	})
}

func goroutines(t testing.TB) string {
	t.Helper()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	return profile.String()
}
