package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// posting is what the baseline is to post: documents, to each URL so many, on so many connections to each.
type posting struct {
	URLs        []string
	Connections int
	Posts       int
}

// post is the loop that one would write by hand: on each connection, a document is posted as soon as the last was answered, with the headers
// that the product sends. It makes no signature, and the same stands for all; it reads no database, and keeps no record.
func (b *baseline) post(w http.ResponseWriter, r *http.Request) {
	var p posting
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		fail(w, err)
		return
	}
	transport := &http.Transport{MaxIdleConnsPerHost: p.Connections}
	defer transport.CloseIdleConnections()
	items := b.documents()
	group, ctx := errgroup.WithContext(r.Context())
	for _, url := range p.URLs {
		for n := range p.Connections {
			poster := poster{client: &http.Client{Transport: transport}, url: url, items: items[n*len(items)/p.Connections : (n+1)*len(items)/p.Connections]}
			share := (n+1)*p.Posts/p.Connections - n*p.Posts/p.Connections
			group.Go(func() error { return poster.post(ctx, share) })
		}
	}
	if err := group.Wait(); err != nil {
		fail(w, err)
		return
	}
	fmt.Fprintln(w, "posted")
}

type document struct {
	id   uuid.UUID
	body []byte
}

func (b *baseline) documents() []document {
	all := make([]document, 0, len(b.rows))
	for id, row := range b.rows {
		all = append(all, document{id, row.columns.Document})
	}
	slices.SortFunc(all, func(a, b document) int { return bytes.Compare(a.id[:], b.id[:]) })
	return all
}

// poster has a connection to an endpoint, and items of its own.
type poster struct {
	client *http.Client
	url    string
	items  []document
}

func (p poster) post(ctx context.Context, posts int) error {
	for k := range posts {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.items[k%len(p.items)].body))
		if err != nil {
			return err
		}
		setHeaders(request.Header, int64(1+k/len(p.items)))
		response, err := p.client.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("the endpoint answers %s", response.Status)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var (
	anySignature   = "v1," + strings.Repeat("A", 43) + "="
	anyCursor      = strings.Repeat("A", 32)
	anyTraceparent = "00-" + strings.Repeat("0a", 16) + "-" + strings.Repeat("0a", 8) + "-01"
)

func setHeaders(h http.Header, revision int64) {
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Itemcast/baseline")
	h.Set("Webhook-Id", uuid.NewString())
	h.Set("Webhook-Timestamp", "1767225600")
	h.Set("Webhook-Signature", anySignature)
	h.Set("Itemcast-Event", "item.updated")
	h.Set("Itemcast-Trigger", "hook")
	h.Set("Itemcast-Revision", strconv.FormatInt(revision, 10))
	h.Set("Itemcast-Cursor", anyCursor)
	h.Set("Traceparent", anyTraceparent)
}
