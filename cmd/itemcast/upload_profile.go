package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// findProfile returns the id of a workflow profile that is named by its id or its name.
func findProfile(ctx context.Context, server string, header http.Header, named string) (id string, err error) {
	if id, err := uuid.Parse(named); err == nil {
		return id.String(), nil
	}
	var known []string
	for next := server + "/api/v1/workflow-profiles?limit=200"; next != ""; {
		var page struct {
			Results []struct{ ID, Name string }
			Next    *string
		}
		if err := getJSON(ctx, next, header, &page); err != nil {
			return "", fmt.Errorf("find the workflow profile: %w", err)
		}
		for _, profile := range page.Results {
			if profile.Name == named {
				return profile.ID, nil
			}
			known = append(known, profile.Name)
		}
		next = ""
		if page.Next != nil { // its base is the server's own, which may be another than the one used here
			if _, query, ok := strings.Cut(*page.Next, "?"); ok {
				next = server + "/api/v1/workflow-profiles?" + query
			}
		}
	}
	const maxShown = 20
	shown := strings.Join(known[:min(len(known), maxShown)], ", ")
	return "", fmt.Errorf("you see no workflow profile with the name %q: use the id, or one of %s", named,
		cmp.Or(shown, "those that you create first"))
}
