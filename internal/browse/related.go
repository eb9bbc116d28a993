package browse

import (
	"net/http"
	"strings"
)

// relatedLink leads below what is shown.
type relatedLink struct {
	*operation
	Href string
}

func related(r *http.Request, v *visit, res *resource) []relatedLink {
	if res == nil || !v.known {
		return nil
	}
	var found []relatedLink
	for _, child := range res.children {
		below := strings.Join(child.steps[len(res.steps):], "/")
		for _, op := range child.operations {
			if !op.forClients && op.May(v.actor.Permissions) {
				found = append(found, relatedLink{op, strings.TrimSuffix(r.URL.EscapedPath(), "/") + "/" + below})
			}
		}
	}
	return found
}
