package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"itemcast/internal/upload/tusclient"
	"itemcast/internal/wake"
)

const (
	soakedUploads    = 20
	soakedUploadSize = 100e6 // bytes
	uploadTimeout    = 15 * time.Minute

	// maxUploadMemory is how much more memory a node may use while it receives all of them, in bytes.
	maxUploadMemory = 100e6
)

// soakUploads sends files at once, by the client of `itemcast upload`. When a third of all bytes has been sent, the
// node is shut down and started again; when two thirds have, it is killed. It fails unless every file becomes one item
// with the same bytes.
func soakUploads(ctx context.Context, b *build, c SoakConfig, _ time.Duration) error {
	u := &soakedUpload{build: b, count: soakedUploads, size: soakedUploadSize, moved: wake.New()}
	if c.Short {
		u.count, u.size = 4, 8e6
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	before, err := b.settledMemory(ctx)
	if err != nil {
		return err
	}
	begun, stop := time.Now(), u.watchMemory(ctx)
	defer stop()
	group, sending := errgroup.WithContext(ctx)
	for n := range u.count {
		group.Go(func() error { return u.send(sending, n) })
	}
	group.Go(func() error {
		for n, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			if err := u.awaitSent(sending, (int64(n)+1)*int64(u.count)*u.size/3); err != nil {
				return err
			}
			b.logf("%d of %d MB are sent; the node gets %s", u.sent.Load()/1e6, int64(u.count)*u.size/1e6, signal)
			if err := b.restart(sending, signal); err != nil {
				return fmt.Errorf("restart the node: %w", err)
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	took, peak := time.Since(begun), stop()
	if err := u.checkItems(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%d uploads of %d MB over two restarts in %s, with %d retries. Each is one item with the same "+
		"SHA-256. Used memory: %.1f MB before, at most %.1f MB.\n", u.count, u.size/1e6, took.Round(time.Second),
		u.retries.Load(), before.used()/1e6, peak/1e6)
	if !c.Short && peak > before.used()+maxUploadMemory {
		return fmt.Errorf("the node uses more than %.0f MB for its uploads", maxUploadMemory/1e6)
	}
	return nil
}

// soakedUpload is a number of uploads at once.
type soakedUpload struct {
	*build
	count   int
	size    int64
	sent    atomic.Int64 // bytes; what is sent again counts again
	retries atomic.Int64
	moved   wake.Signal
}

// soakTag finds the items.
const soakTag = "soak"

// send sends a file, and compares what the server then has.
func (u *soakedUpload) send(ctx context.Context, n int) error {
	content := numbered{noiseBlock, int64(n)}
	client := &tusclient.Client{Endpoint: "http://" + u.addr + "/api/v1/uploads/tus/", ChunkSize: 4 << 20,
		Header: http.Header{"Authorization": {authorization}}}
	var last int64
	done, err := client.Send(ctx, tusclient.Upload{Content: content, Size: u.size,
		Metadata: map[string]string{"filename": "clip.mp4", "item": fmt.Sprintf(
			`{"name":"Upload %d","tags":[%q]}`, n, soakTag)},
		Progress: func(sent int64) {
			u.sent.Add(max(0, sent-last))
			last = sent
			u.moved.Send()
		},
		Retrying: func(error) { u.retries.Add(1) },
		Complete: func(h http.Header) bool { return h.Get("Itemcast-Item-Id") != "" }})
	if err != nil {
		return fmt.Errorf("upload %d: %w", n, err)
	}
	document, err := u.api(ctx, http.MethodGet, "/api/v1/items/"+done.Header.Get("Itemcast-Item-Id"), "")
	if err != nil {
		return fmt.Errorf("read the item of upload %d: %w", n, err)
	}
	var item made
	if err := json.Unmarshal(document, &item); err != nil {
		return err
	}
	if len(item.Assets) != 1 {
		return fmt.Errorf("the item of upload %d has %d assets", n, len(item.Assets))
	}
	got, err := sumOf(ctx, item.Assets[0].URL)
	if err != nil {
		return err
	}
	want := sha256.New()
	if _, err := io.Copy(want, io.NewSectionReader(content, 0, u.size)); err != nil {
		return err
	}
	if sum := hex.EncodeToString(want.Sum(nil)); sum != got {
		return fmt.Errorf("upload %d has the SHA-256 %s instead of %s", n, got, sum)
	}
	return nil
}

// numbered is noise of which every number begins elsewhere.
type numbered struct {
	noise
	number int64
}

func (n numbered) ReadAt(p []byte, at int64) (int, error) {
	const step = 4099 // bytes
	read, err := n.noise.ReadAt(p, at+n.number*step)
	if at < int64(len(clipHead)) {
		copy(p, clipHead[at:])
	}
	return read, err
}

// sumOf downloads a file and returns its SHA-256.
func sumOf(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s responds %s", url, response.Status)
	}
	sum := sha256.New()
	_, err = io.Copy(sum, response.Body)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// awaitSent waits until so many bytes have been sent.
func (u *soakedUpload) awaitSent(ctx context.Context, bytes int64) error {
	for u.sent.Load() < bytes {
		select {
		case <-u.moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// watchMemory reads the memory that the node uses until stop is called, which returns the most.
func (u *soakedUpload) watchMemory(ctx context.Context) (stop func() (peak float64)) {
	ctx, cancel := context.WithCancel(ctx)
	peak, ended := 0.0, make(chan struct{})
	go func() {
		defer close(ended)
		for wake.Pause(ctx, 250*time.Millisecond) {
			if m, err := u.memory(ctx); err == nil { // else the node is away
				peak = max(peak, m.used())
			}
		}
	}()
	return func() float64 {
		cancel()
		<-ended
		return peak
	}
}

// checkItems returns an error unless there is one item for each upload.
func (u *soakedUpload) checkItems(ctx context.Context) error {
	list, err := u.api(ctx, http.MethodGet, "/api/v1/items?limit=1&count=true&tags="+soakTag, "")
	if err != nil {
		return err
	}
	if count := between(list, `"count":`, ","); count != fmt.Sprint(u.count) && count != fmt.Sprintf("%d}", u.count) {
		return fmt.Errorf("%d uploads have made %s items", u.count, count)
	}
	return nil
}
