package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// posting is a task for the baseline: post a number of documents to each URL, on a number of connections to each.
type posting struct {
	URLs        []string
	Connections int
	Posts       int
}

// post is a hand-written loop. On each connection it posts a document, with the headers that Itemcast sends, waits for
// the response, and posts the next. It makes no signature, reads no database and records nothing.
func (b *baseline) post(w http.ResponseWriter, r *http.Request) {
	var p posting
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		fail(w, err)
		return
	}
	transport := &http.Transport{MaxIdleConnsPerHost: p.Connections}
	defer transport.CloseIdleConnections()
	documents := b.documents()
	group, ctx := errgroup.WithContext(r.Context())
	for _, url := range p.URLs {
		for n := range p.Connections {
			own := documents[n*len(documents)/p.Connections : (n+1)*len(documents)/p.Connections]
			poster := poster{client: &http.Client{Transport: transport}, url: url, documents: own}
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

// documents are in the order of their items' ids.
func (b *baseline) documents() [][]byte {
	ids := slices.SortedFunc(maps.Keys(b.rows), func(x, y uuid.UUID) int { return bytes.Compare(x[:], y[:]) })
	all := make([][]byte, len(ids))
	for n, id := range ids {
		all[n] = b.rows[id].columns.Document
	}
	return all
}

// poster posts its share of the documents on one connection to an endpoint.
type poster struct {
	client    *http.Client
	url       string
	documents [][]byte
}

func (p poster) post(ctx context.Context, posts int) error {
	for k := range posts {
		body := bytes.NewReader(p.documents[k%len(p.documents)])
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, body)
		if err != nil {
			return err
		}
		setHeaders(request.Header, int64(1+k/len(p.documents)))
		response, err := p.client.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("the endpoint responds %s", response.Status)
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
