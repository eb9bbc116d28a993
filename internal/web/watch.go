package web

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/media/player"
	"itemcast/internal/problem"
)

// Player is what the pages that play an item need.
type Player struct {
	Shows *player.Service
	// Identify returns the context with the request's user; without a user if the request has no credentials.
	Identify func(http.ResponseWriter, *http.Request) (context.Context, error)
	Fail     func(http.ResponseWriter, *http.Request, error) // answers with an error
}

// Watch serves the pages that play an item, and the streams that tell them of changes. Package server routes the
// paths; {id} is the item, {signature} that of a link.
type Watch struct {
	Page   http.Handler // /watch/{id}
	Embed  http.Handler // /embed/{id}: only the player, for frames of other sites
	Events http.Handler // /watch/{id}/events
}

// NewWatch returns the pages.
func NewWatch(publicURL string, p Player) Watch { return newWatch(built(), publicURL, p) }

func newWatch(files fs.FS, publicURL string, p Player) Watch {
	w := watch{Player: p, root: rootOf(publicURL), publicURL: strings.TrimRight(publicURL, "/"),
		page: newPage(files, publicURL, "watch", "player", "")}
	return Watch{
		Page:   readOnly(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.serve(rw, r, false) })),
		Embed:  readOnly(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.serve(rw, r, true) })),
		Events: readOnly(http.HandlerFunc(w.follow)),
	}
}

type watch struct {
	Player
	root, publicURL string
	page            page
}

// watchData is what the page watch.html shows.
type watchData struct {
	Embed bool
	Show  *player.Show // nil: there is nothing at the address, or the viewer may not see it
	Texts texts
	Path  string // of the page, with a signature
	Link  string // the address to share; "" for a private item
	Next  string // where a sign-in leads
	// Expired says that the link was right, but is too old.
	Expired bool
}

func (p watch) serve(w http.ResponseWriter, r *http.Request, embed bool) {
	show, err := p.show(w, r)
	switch {
	case problem.Is(err, problem.NotFound):
		p.writeGone(w, r, watchData{Embed: embed, Next: r.URL.Path, Expired: errors.Is(err, media.ErrExpired)})
		return
	case err != nil:
		p.Fail(w, r, err)
		return
	}
	data := watchData{Embed: embed, Show: &show, Texts: textsOf(&show), Path: p.pathOf(r)}
	if show.Access == media.ByPrivacy {
		data.Link = p.publicURL + item.WatchPath + show.ID.String()
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if show.Access != media.ByPrivacy || show.Reason != "" {
		h.Set("Cache-Control", "no-store")
	}
	frames := "frame-ancestors 'none'"
	if embed {
		frames = strings.Join(append([]string{"frame-ancestors 'self'"}, show.Frames...), " ")
	}
	out := p.page
	out.policy = playerPolicy(frames, p.publicURL, show.URLs())
	out.write(w, r, http.StatusOK, out.render(data))
}

// writeGone answers that there is nothing at an address. It does not say whether a private item is.
func (p watch) writeGone(w http.ResponseWriter, r *http.Request, data watchData) {
	out, frames := p.page, "frame-ancestors 'none'"
	if data.Embed {
		frames = "frame-ancestors *" // it says nothing about any account
	}
	out.policy = playerPolicy(frames, p.publicURL, nil)
	w.Header().Set("Cache-Control", "no-store")
	out.write(w, r, http.StatusNotFound, out.render(data))
}

// show returns what the page of a request plays. Error: NOT_FOUND.
func (p watch) show(w http.ResponseWriter, r *http.Request) (player.Show, error) {
	id, err := itemOf(r)
	if err != nil {
		return player.Show{}, err
	}
	return p.Shows.Show(r.Context(), player.Request{Item: id, Signature: r.PathValue("signature"),
		Identify: func() (context.Context, error) { return p.Identify(w, r) }})
}

func itemOf(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		err = problem.New(problem.NotFound, "There is nothing to watch at this address.")
	}
	return id, err
}

// pathOf returns the path of the page of a request, below the root: watch/ID or watch/s/SIGNATURE/ID. Frames have
// the same streams.
func (p watch) pathOf(r *http.Request) string {
	path := p.root + strings.TrimPrefix(item.WatchPath, "/")
	if signature := r.PathValue("signature"); signature != "" {
		path += "s/" + signature + "/"
	}
	return path + r.PathValue("id")
}
