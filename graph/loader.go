package graph

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vikstrous/dataloadgen"

	"itemcast/graph/internal/model"
	"itemcast/graph/rendered"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// loadWait is how long a loader collects ids. The resolvers of one response run within microseconds of each other.
const loadWait = 200 * time.Microsecond

// loaders batch the look-ups of one response: one statement for items, one for users, one for runs.
type loaders struct {
	items *dataloadgen.Loader[uuid.UUID, *rendered.Item]
	users *dataloadgen.Loader[uuid.UUID, string]
	runs  *dataloadgen.Loader[uuid.UUID, *model.WorkflowRun] // by item
	read  atomic.Int64                                       // bytes of documents
}

// maxRead limits the bytes of documents that one response reads: an operation can request many lists, each with a full
// page.
const maxRead = 64 << 20

// count adds a page to what the response has read. Error: PAYLOAD_TOO_LARGE.
func (l *loaders) count(page item.Page) error {
	size := 0
	for _, listed := range page.Items {
		size += len(listed.Document)
	}
	if l.read.Add(int64(size)) > maxRead {
		return problem.New(problem.TooLarge,
			"The items of one answer may have at most %d MiB; ask for smaller pages, or for fewer lists at once.", maxRead>>20)
	}
	return nil
}

type loadersKey struct{}

func loadersFrom(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

// withLoaders gives each response its own loaders. For a subscription, each event is a response.
func (r *Resolver) withLoaders(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	options := []dataloadgen.Option{dataloadgen.WithWait(loadWait), dataloadgen.WithBatchCapacity(maxPage)}
	return next(context.WithValue(ctx, loadersKey{}, &loaders{
		items: dataloadgen.NewMappedLoader(r.loadItems, options...),
		users: dataloadgen.NewMappedLoader(r.loadUsers, options...),
		runs:  dataloadgen.NewMappedLoader(r.loadRuns, options...),
	}))
}

func (r *Resolver) loadItems(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*rendered.Item, error) {
	documents, err := r.Items.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	items := make(map[uuid.UUID]*rendered.Item, len(ids))
	for _, id := range ids {
		items[id] = nil // an unknown id is null, not an error
		if document, ok := documents[id]; ok {
			items[id] = rendered.New(document)
		}
	}
	return items, nil
}

func (r *Resolver) loadUsers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	names, err := r.Users.Names(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := names[id]; !ok {
			names[id] = "" // a deleted user
		}
	}
	return names, nil
}
