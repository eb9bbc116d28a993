package browse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// The pages offer the run of an item that has a workflow, to start one that has ended, and to cancel one that has not.
func TestPage_OffersWhatAWorkflowAllows(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	page := func(path string, status int, want string) {
		t.Helper()
		text := string(n.WithAuthorization("").Page(browser, path).WantStatus(t, status).Body)
		_, below, _ := strings.Cut(text, `<h2 id="related">`)
		below, _, _ = strings.Cut(below, "</section>")
		var offers []string
		for _, offer := range []struct {
			name    string
			offered bool
		}{
			{"read", strings.Contains(below, "Read an item&#39;s workflow")},
			{"start", strings.Contains(below, "Start a workflow")},
			{"cancel", strings.Contains(below, "Cancel a workflow")},
			{"form", strings.Contains(text, `id="startWorkflow"`)},
		} {
			if offer.offered {
				offers = append(offers, offer.name)
			}
		}
		if got := strings.Join(offers, " "); got != want {
			t.Errorf("%s offers %q, want %q", path, got, want)
		}
	}
	bare := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	page(bare, http.StatusOK, "start")
	page(bare+"/workflow", http.StatusNotFound, "form")
	profile := n.Call(http.MethodPost, "/api/v1/workflow-profiles", `{"name":"Edits","actions":[{"key":"edit","kind":"edit"}]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	edited := "/api/v1/items/" + n.CreateItem(fmt.Sprintf(`{"name":"b","workflow_profile_id":%q}`, profile))
	nodetest.Eventually(t, "it waits", func() bool {
		return strings.Contains(string(n.Call(http.MethodGet, edited, "").Body), `"status":"waiting"`)
	})
	page(edited, http.StatusOK, "read cancel")
	page(edited+"/workflow", http.StatusOK, "cancel")
	n.Call(http.MethodPost, edited+"/workflow/cancel", "").WantStatus(t, http.StatusOK)
	page(edited, http.StatusOK, "read start")
	page(edited+"/workflow", http.StatusOK, "form")
}
