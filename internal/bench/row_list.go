package bench

import (
	"context"
	"fmt"
	"strings"
)

// listItems reads the newest 50 items.
func listItems(ctx context.Context, s *stage) (result, error) {
	baseline, err := s.listBaseline(ctx)
	if err != nil {
		return result{}, err
	}
	err = checkSameWork(ctx, s.this.addr, s.this.list(), s.baseline.addr, baseline.next().request)
	if err != nil {
		return result{}, err
	}
	sizes := map[*build]int{}
	for _, b := range s.all() {
		_, list, err := once(ctx, b.addr, b.list())
		if err != nil {
			return result{}, err
		}
		sizes[b] = len(list)
	}
	return s.compareLoad(ctx, s.Connections,
		func(b *build) target { return b.target(always(b.list(), sizes[b])) }, baseline)
}

func (n *node) list() []byte { return n.request("GET", "/api/v1/items?limit=50", "", nil) }

// listBaseline returns the baseline's list as a target. It first sends the baseline the end of this build's list, which
// does not change while lists are measured.
func (s *stage) listBaseline(ctx context.Context) (target, error) {
	c, err := dial(ctx, s.this.addr)
	if err != nil {
		return target{}, err
	}
	defer c.close()
	header, body, err := c.call(call{request: s.this.list(), size: -1})
	if err != nil {
		return target{}, err
	}
	list := string(body)
	end := strings.LastIndex(list, `],"next":`)
	if end < 0 {
		return target{}, fmt.Errorf("the list has no next page: %.200s", list)
	}
	var headers string
	for _, name := range []string{"Link", "Itemcast-Change-Cursor"} {
		headers += name + ": " + header.Get(name) + "\r\n"
	}
	if err := s.baseline.put(ctx, "/tail", headers, []byte(list[end:])); err != nil {
		return target{}, fmt.Errorf("give the baseline the end of the list: %w", err)
	}
	return s.baselineTarget(always(s.baseline.request("GET", "/items?limit=50", "", nil), len(list))), nil
}

func (b *baselineProcess) put(ctx context.Context, path, headers string, body []byte) error {
	c, err := dial(ctx, b.addr)
	if err != nil {
		return err
	}
	defer c.close()
	_, _, err = c.call(call{request: b.request("PUT", path, headers, body)})
	return err
}

// always repeats one request.
func always(request []byte, size int) (next func() call) {
	return func() call { return call{request, size} }
}
