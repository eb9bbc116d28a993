package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// review is an action that leaves an uploaded file as it is.
const review = `{"key":"review","kind":"approve","name":"Review"}`

// way sends a file to an inbox.
type way func(ctx context.Context, in *inbox, size int64) error

func byForm(ctx context.Context, in *inbox, size int64) error {
	header, err := in.ticket()
	if err != nil {
		return err
	}
	content := io.NewSectionReader(noiseBlock, 0, size)
	_, err = sendForm(ctx, "http://"+in.addr+"/api/v1/uploads", header, content, size, nil)
	return err
}

func byTus(ctx context.Context, in *inbox, size int64) error {
	header, err := in.ticket()
	if err != nil {
		return err
	}
	return sendTus(ctx, "http://"+in.addr+"/api/v1/uploads/tus/", header, noiseBlock, size)
}

// uploadByForm measures MB a second of an upload in one request. Its baseline copies the same body to a file and syncs
// it; it neither reads the form nor makes a checksum.
func uploadByForm(ctx context.Context, s *stage) (result, error) {
	return s.compareUploads(ctx, byForm, func(ctx context.Context, size int64) error {
		_, err := sendForm(ctx, "http://"+s.baseline.addr+"/upload", nil, io.NewSectionReader(noiseBlock, 0, size), size, nil)
		return err
	})
}

// uploadByTus measures MB a second of a resumable upload in one request beside tusd.
func uploadByTus(ctx context.Context, s *stage) (result, error) {
	return s.compareUploads(ctx, byTus, func(ctx context.Context, size int64) error {
		return sendTus(ctx, "http://"+s.baseline.addr+tusPath, nil, noiseBlock, size)
	})
}

func (s *stage) compareUploads(
	ctx context.Context, send way, toBaseline func(ctx context.Context, size int64) error,
) (result, error) {
	size := s.uploadSize()
	ofBuild := func(ctx context.Context, b *build) (round, error) {
		in, err := b.makeInbox(ctx, review)
		if err != nil {
			return round{}, err
		}
		return timeUpload(b.processes(), size, func() error { return send(ctx, in, size) })
	}
	ofBaseline := func(ctx context.Context) (round, error) {
		return timeUpload(s.baselineProcesses(), size, func() error { return toBaseline(ctx, size) })
	}
	if _, err := s.alternate(ctx, 1, rateOf, s.sides(ofBuild, ofBaseline)); err != nil { // a warm-up
		return result{}, err
	}
	r, err := s.alternate(ctx, s.rounds(s.Rounds), rateOf, s.sides(ofBuild, ofBaseline))
	r.notes = append(r.notes, fmt.Sprintf("one upload of %d MB a round, at MB a second.", size/1e6))
	return r, err
}

// timeUpload measures an upload in MB a second.
func timeUpload(p processes, size int64, send func() error) (round, error) {
	used, begun := p.cpuUsed(), time.Now()
	if err := send(); err != nil {
		return round{}, err
	}
	took := time.Since(begun)
	megabytes := float64(size) / 1e6
	return round{count: int(megabytes), perSecond: megabytes / took.Seconds(), cpu: p.cpuUsed().minus(used)}, nil
}

// memoryOfUpload measures how much the resident memory of a new process grows during an upload of four times the size.
func memoryOfUpload(send way) func(ctx context.Context, s *stage) (result, error) {
	return func(ctx context.Context, s *stage) (result, error) {
		size := 4 * s.uploadSize()
		r, err := s.alternate(ctx, s.rounds(1), memoryOf, s.sides(func(ctx context.Context, b *build) (round, error) {
			return b.onFresh(ctx, 0, func(fresh *build) (round, error) { return fresh.memoryOfUpload(ctx, send, size) })
		}, nil))
		r.notes = append(r.notes, fmt.Sprintf("largest resident memory during an upload of %d MB, read every %s, above that "+
			"before it, after an upload of 1 MB.", size/1e6, memoryPoll))
		return r, err
	}
}

func (b *build) memoryOfUpload(ctx context.Context, send way, size int64) (round, error) {
	in, err := b.makeInbox(ctx, review)
	if err != nil {
		return round{}, err
	}
	if err := send(ctx, in, 1e6); err != nil { // loads the code and opens the connections
		return round{}, err
	}
	if _, err := b.settledMemory(ctx); err != nil {
		return round{}, err
	}
	before := resident(b.cmd.Process.Pid)
	stop := watchMemory(b.cmd.Process.Pid)
	err = send(ctx, in, size)
	return round{bytes: max(1, stop()-before)}, err
}

const memoryPoll = 10 * time.Millisecond

// watchMemory reads the resident memory of a process until stop is called, which returns the largest value.
func watchMemory(pid int) (stop func() (peak float64)) {
	ended, peak := make(chan struct{}), 0.0
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			peak = max(peak, resident(pid))
			select {
			case <-ended:
				return
			case <-time.After(memoryPoll):
			}
		}
	})
	return func() float64 {
		close(ended)
		watching.Wait()
		return peak
	}
}

// resident returns the resident memory of a process in bytes (VmRSS of proc(5)); 0 without /proc.
func resident(pid int) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	kilobytes, _ := strconv.ParseFloat(strings.TrimSpace(between(status, "\nVmRSS:", " kB")), 64)
	return kilobytes * 1024
}
