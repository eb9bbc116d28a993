package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// segmentClip is the length of the video whose segments are fetched: enough for several of each rung.
const segmentClip = 12 * time.Second

// deliverSegments measures how many HLS segments a second are fetched whole. Its baseline is nginx with the same files
// at the same paths, on the same disk.
func deliverSegments(ctx context.Context, s *stage) (result, error) {
	dir, err := os.MkdirTemp(s.this.dir, "segments-*")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	clip, err := makeClip(ctx, dir, min(segmentClip, s.clipLength()))
	if err != nil {
		return result{}, err
	}
	targets, total := map[*build]target{}, 0
	var baseline target
	for _, b := range s.all() {
		urls, err := b.makeSegments(ctx, clip)
		if err != nil {
			return result{}, err
		}
		calls, bytes, err := callsTo(ctx, b.addr, urls)
		if err != nil {
			return result{}, err
		}
		targets[b] = b.target(oneOf(calls))
		if b != s.this {
			continue
		}
		total = bytes / len(calls)
		nginx, err := serveByNginx(ctx, dir, urls)
		if errors.Is(err, errNoNginx) {
			s.logf("no baseline: %v", err)
			continue
		}
		if err != nil {
			return result{}, err
		}
		defer nginx.stop()
		if calls, _, err = callsTo(ctx, nginx.addr, urls); err != nil {
			return result{}, fmt.Errorf("nginx: %w", err)
		}
		baseline = target{nginx.addr, processes{server: nginx.cmd.Process.Pid}, oneOf(calls)}
	}
	r, err := s.compareLoad(ctx, s.Connections, func(b *build) target { return targets[b] }, baseline)
	r.note(func(one side) string {
		return fmt.Sprintf("segments of all rungs, %d kB on average: %.0f MB/s.", total/1000,
			median(one.rates)*float64(total)/1e6)
	})
	if err == nil && baseline.next == nil {
		r.unmet = append(r.unmet, "without a baseline, as "+errNoNginx.Error())
	}
	return r, err
}

// makeSegments uploads a clip and returns the URLs of its segments.
func (b *build) makeSegments(ctx context.Context, clip string) ([]string, error) {
	in, err := b.makeInbox(ctx, process)
	if err != nil {
		return nil, err
	}
	id, _, err := in.sendClip(ctx, clip)
	if err != nil {
		return nil, err
	}
	item, err := b.awaitMade(ctx, id, isCompleted)
	if err != nil {
		return nil, err
	}
	return segments(ctx, item.playlist())
}

// serveByNginx starts nginx with copies of files.
func serveByNginx(ctx context.Context, dir string, urls []string) (*nginx, error) {
	root, own := filepath.Join(dir, "root"), filepath.Join(dir, "nginx")
	for _, folder := range []string{root, own} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return nil, err
		}
	}
	if err := saveTo(ctx, root, urls); err != nil {
		return nil, err
	}
	return startNginx(ctx, own, root)
}

// callsTo returns a request for each file at an address, and the number of bytes of all.
func callsTo(ctx context.Context, addr string, urls []string) (calls []call, bytes int, err error) {
	for _, one := range urls {
		at, err := url.Parse(one)
		if err != nil {
			return nil, 0, err
		}
		content, err := download(ctx, "http://"+addr+at.Path)
		if err != nil {
			return nil, 0, err
		}
		calls = append(calls, call{message("GET", addr, at.Path, "", nil), len(content)})
		bytes += len(content)
	}
	return calls, bytes, nil
}
