package workflow

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"itemcast/internal/hook/egress"
)

const (
	lookupTimeout = 5 * time.Second // for all names of a profile
	lookups       = 8               // at a time
)

// checkEndpoints adds a problem for each task whose URL hooks may not reach now. It looks up each URL once.
func (d *dryRun) checkEndpoints(ctx context.Context, reach egress.Policy, resolver *net.Resolver) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	tasks := d.profile.definition.Tasks
	var urls []string
	for _, t := range tasks {
		if !slices.Contains(urls, t.URL) {
			urls = append(urls, t.URL)
		}
	}
	results := make(map[string]error, len(urls))
	var group sync.WaitGroup
	var mutex sync.Mutex
	free := make(chan struct{}, lookups)
	for _, url := range urls {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			err := reach.Reach(ctx, resolver, url)
			mutex.Lock()
			defer mutex.Unlock()
			results[url] = err
		})
	}
	group.Wait()
	for i, t := range tasks {
		if err := results[t.URL]; err != nil {
			d.problem(taskPointer(i, "url"), Error, "The task %s cannot be sent: %s. Correct the URL, or ask the operator.",
				t.Key, err)
		}
	}
}
