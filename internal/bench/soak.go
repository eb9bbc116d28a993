package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

const (
	soakFollowers = 24 // that follow all along, over every transport
	soakPassers   = 8  // that come without a cursor, with a query of their own, and go

	settleWithin = 60 * time.Second // for followers to reach the end of the log, once nothing is written any more

	growthAllowed = 8 << 20 // bytes of heap between the second and the last quarter
)

// Soak has the product change items at the bench's rate for a while, and subscribers follow them that connect, stall, vanish and resume at
// random. It tells what they missed or got twice, and whether the product's memory and goroutines stay what they were. An error says what is
// not as it must be.
func Soak(ctx context.Context, c Config, lasting time.Duration) error {
	s, err := openStage(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	start, err := s.startOfSoak(ctx)
	if err != nil {
		return err
	}
	before, err := s.vitals(ctx)
	if err != nil {
		return err
	}
	s.say("following for %s", lasting)

	following, stopPassing := context.WithCancel(ctx)
	defer stopPassing()
	group, followed := errgroup.WithContext(ctx)
	all := make([]*soaker, 0, soakFollowers)
	for n := range soakFollowers {
		one := &soaker{stage: s, n: n, cursor: start.cursor, seen: start.copyOfRevisions()}
		all = append(all, one)
		group.Go(func() error { return one.follow(followed) })
	}
	passers := make([]*soaker, 0, soakPassers)
	for n := range soakPassers {
		one := &soaker{stage: s, n: n, passing: true}
		passers = append(passers, one)
		group.Go(func() error { return one.pass(followed, following) })
	}
	var samples []vitals
	group.Go(func() error {
		samples = s.sample(followed, following)
		return nil
	})
	changes, rate, err := s.writeSteadily(followed, pace{perSecond: changesPerSecond, lasting: lasting})
	if err != nil {
		return errors.Join(err, group.Wait())
	}
	stopPassing()
	end := start.copyOfRevisions()
	for _, w := range changes {
		end[w.item] = max(end[w.item], w.n)
	}
	for _, one := range all {
		one.end.Store(&end)
	}
	settled := time.AfterFunc(settleWithin, func() {
		for _, one := range all {
			one.late.Store(true)
		}
	})
	defer settled.Stop()
	if err := group.Wait(); err != nil {
		return fmt.Errorf("%w%s", err, s.product.lastWords())
	}
	after, err := s.quiet(ctx, before)
	if err != nil {
		return err
	}
	return s.judgeSoak(len(changes), rate, append(all, passers...), before, after, samples)
}

// soakStart is where the followers begin: a cursor, and the revisions of then.
type soakStart struct {
	cursor    string
	revisions map[uuid.UUID]int64
}

func (s soakStart) copyOfRevisions() map[uuid.UUID]int64 {
	out := make(map[uuid.UUID]int64, len(s.revisions))
	for id, n := range s.revisions {
		out[id] = n
	}
	return out
}

func (s *stage) startOfSoak(ctx context.Context) (start soakStart, err error) {
	body, err := s.api(ctx, http.MethodGet, "/api/v1/changes?limit=1", "")
	if err != nil {
		return start, err
	}
	start.cursor = between(body, `"cursor":"`, `"`)
	start.revisions = map[uuid.UUID]int64{}
	rows, err := s.pool.Query(ctx, "SELECT id, revision FROM item")
	if err != nil {
		return start, err
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var n int64
		if err := rows.Scan(&id, &n); err != nil {
			return start, err
		}
		start.revisions[id] = n
	}
	return start, rows.Err()
}

// soaker is one subscriber. It counts what is wrong with what it is told.
type soaker struct {
	stage   *stage
	n       int
	passing bool
	cursor  string
	seen    map[uuid.UUID]int64 // the last revision of each item
	end     atomic.Pointer[map[uuid.UUID]int64]
	late    atomic.Bool

	told, connections, stalls int
	missed, repeated          int
}

// told is one change as a transport tells it.
type told struct {
	item     uuid.UUID
	revision int64
	cursor   string
}

// transport opens a connection after a cursor, and returns how its changes are read, one by one, and how it is ended. With nothing to tell,
// read returns within a second or so with no change.
type transport func(ctx context.Context, s *soaker) (read func() (*told, error), end func(), err error)

func (s *soaker) transport() transport {
	return []transport{overWebSocket, overEventStream, overGraphQLEventStream, overWebSocket, overLongPoll, overWebSocket}[s.n%6]
}

// follow reads until it has seen the last change that was made, through as many connections as it takes.
func (s *soaker) follow(ctx context.Context) error {
	for !s.done() {
		if err := s.once(ctx, rand.N(15*time.Second)); err != nil && ctx.Err() == nil {
			if s.late.Load() {
				return fmt.Errorf("subscriber %d has not come to the end; %w", s.n, err)
			}
			_ = sleepUntil(ctx, time.Now().Add(rand.N(500*time.Millisecond)))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.late.Load() {
			return fmt.Errorf("subscriber %d has not come to the end in %s", s.n, settleWithin)
		}
	}
	return nil
}

// pass comes and goes until passing ends.
func (s *soaker) pass(ctx, passing context.Context) error {
	for passing.Err() == nil && ctx.Err() == nil {
		s.seen, s.cursor = map[uuid.UUID]int64{}, ""
		_ = s.once(passing, rand.N(3*time.Second))
	}
	return nil
}

// once keeps one connection for a while, in which it may stall, and leaves it in one of the ways in which people do.
func (s *soaker) once(ctx context.Context, lasting time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read, end, err := s.transport()(ctx, s)
	if err != nil {
		return err
	}
	defer end()
	s.connections++
	until := time.Now().Add(lasting)
	stallAt := time.Time{}
	if rand.N(4) == 0 {
		stallAt = time.Now().Add(rand.N(lasting + 1))
	}
	for !s.done() && (time.Now().Before(until) || s.end.Load() != nil) {
		if !stallAt.IsZero() && time.Now().After(stallAt) && s.end.Load() == nil {
			s.stalls++
			stallAt = time.Time{}
			if sleepUntil(ctx, time.Now().Add(rand.N(30*time.Second))) != nil {
				return ctx.Err()
			}
		}
		one, err := read()
		if err != nil {
			return err
		}
		if one != nil {
			s.take(*one)
		}
	}
	return nil
}

func (s *soaker) take(t told) {
	last, known := s.seen[t.item]
	switch {
	case !known:
	case t.revision <= last:
		s.repeated++
	case t.revision > last+1:
		s.missed += int(t.revision - last - 1)
	}
	s.seen[t.item], s.cursor = t.revision, t.cursor
	s.told++
}

// done reports whether all that was changed has been seen.
func (s *soaker) done() bool {
	end := s.end.Load()
	if end == nil {
		return false
	}
	for id, n := range *end {
		if s.seen[id] < n {
			return false
		}
	}
	return true
}

const soakFields = `revision item { id } cursor document`

func (s *soaker) query() string {
	fields := soakFields
	if s.passing {
		fields = strings.Replace(fields, "document", fmt.Sprintf("d%d: document", rand.N(5)), 1)
	}
	return `subscription ($after: Cursor) { itemChanges(after: $after) { ` + fields + ` } }`
}

func (s *soaker) after() any {
	if s.cursor == "" {
		return nil
	}
	return s.cursor
}

// graphQLTold reads a message with soakFields; nil for any other.
func graphQLTold(message []byte) (*told, error) {
	start := bytes.Index(message, []byte(`"itemChanges":{`))
	if start < 0 {
		return nil, nil
	}
	message = message[start:min(len(message), start+400)]
	return newTold(between(message, `"id":"`, `"`), between(message, `"revision":`, `,`), between(message, `"cursor":"`, `"`))
}

func newTold(item, revision, cursor string) (*told, error) {
	id, err := uuid.Parse(item)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(revision, 10, 64)
	return &told{id, n, cursor}, err
}

func between(text []byte, before, after string) string {
	_, rest, _ := bytes.Cut(text, []byte(before))
	value, _, _ := bytes.Cut(rest, []byte(after))
	return string(value)
}

func overWebSocket(ctx context.Context, s *soaker) (func() (*told, error), func(), error) {
	one, err := dialSubscriber(ctx, s.stage.product.addr, s.query(), map[string]any{"after": s.after()})
	if err != nil {
		return nil, nil, err
	}
	messages := handOver(one.ctx, func() ([]byte, error) {
		for {
			_, message, err := one.conn.Read(one.ctx)
			if err != nil || string(message) != `{"type":"ping"}` {
				return message, err
			}
			if err := one.conn.Write(one.ctx, websocket.MessageText, []byte(`{"type":"pong"}`)); err != nil {
				return nil, err
			}
		}
	})
	return func() (*told, error) {
		message, err := messages()
		if err != nil || message == nil {
			return nil, err
		}
		return graphQLTold(message)
	}, one.close, nil
}

// handOver reads on a goroutine of its own, one ahead of whoever takes: who takes no more reads no more. Taking returns nil when nothing has
// come for a second.
func handOver(ctx context.Context, read func() ([]byte, error)) (take func() ([]byte, error)) {
	pieces := make(chan []byte)
	go func() {
		defer close(pieces)
		for {
			piece, err := read()
			if err != nil {
				return
			}
			select {
			case pieces <- piece:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() ([]byte, error) {
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		select {
		case piece, ok := <-pieces:
			if !ok {
				return nil, io.ErrUnexpectedEOF
			}
			return piece, nil
		case <-timer.C:
			return nil, nil
		}
	}
}

func overEventStream(ctx context.Context, s *soaker) (func() (*told, error), func(), error) {
	return s.eventStream(ctx, http.MethodGet, "/api/v1/changes", nil, func(data []byte) (*told, error) {
		head, document, ok := bytes.Cut(data, []byte(`"document":{`))
		if !ok {
			return nil, nil // a checkpoint
		}
		return newTold(between(document, `"id":"`, `"`), between(head, `"revision":`, `,`), between(head, `"cursor":"`, `"`))
	})
}

func overGraphQLEventStream(ctx context.Context, s *soaker) (func() (*told, error), func(), error) {
	body := fmt.Appendf(nil, `{"query":%q}`, s.query())
	return s.eventStream(ctx, http.MethodPost, "/graphql", body, graphQLTold)
}

func (s *soaker) eventStream(ctx context.Context, method, path string, body []byte, parse func([]byte) (*told, error)) (
	func() (*told, error), func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.stage.product.addr+path, bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Content-Type", "application/json")
	if s.cursor != "" {
		request.Header.Set("Last-Event-ID", s.cursor)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	end := func() { cancel(); _ = response.Body.Close() }
	if response.StatusCode != http.StatusOK {
		end()
		return nil, nil, fmt.Errorf("%s answers %s", path, response.Status)
	}
	in := bufio.NewReaderSize(response.Body, 4096)
	lines := handOver(ctx, func() ([]byte, error) { return in.ReadBytes('\n') })
	return func() (*told, error) {
		line, err := lines()
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if err != nil || !ok {
			return nil, err
		}
		return parse(data)
	}, end, nil
}

func overLongPoll(ctx context.Context, s *soaker) (func() (*told, error), func(), error) {
	var page [][]byte
	var cursor string
	return func() (*told, error) {
		if len(page) == 0 {
			path := "/api/v1/changes?wait=1&limit=200"
			if after := cmp.Or(cursor, s.cursor); after != "" {
				path += "&after=" + after
			}
			body, err := s.stage.api(ctx, http.MethodGet, path, "")
			if err != nil {
				return nil, err
			}
			cursor = between(body[bytes.LastIndex(body, []byte(`],"cursor"`))+1:], `"cursor":"`, `"`)
			page = bytes.Split(body, []byte(`{"cursor":"`))[1:]
			if len(page) == 0 {
				return nil, nil
			}
		}
		data := page[0]
		page = page[1:]
		head, document, _ := bytes.Cut(data, []byte(`"document":{`))
		position, _, _ := bytes.Cut(head, []byte(`"`))
		return newTold(between(document, `"id":"`, `"`), between(head, `"revision":`, `,`), string(position))
	}, func() {}, nil
}

// vitals are the product's memory and goroutines.
type vitals struct {
	heap, resident, goroutines float64
}

// vitals collects garbage, so that the heap is what is in use.
func (s *stage) vitals(ctx context.Context) (v vitals, err error) {
	if _, err := s.ops(ctx, "/debug/pprof/heap?gc=1"); err != nil {
		return v, err
	}
	metrics, err := s.ops(ctx, "/metrics")
	if err != nil {
		return v, err
	}
	for name, value := range map[string]*float64{
		"go_memstats_heap_alloc_bytes": &v.heap, "process_resident_memory_bytes": &v.resident, "go_goroutines": &v.goroutines,
	} {
		if *value, err = strconv.ParseFloat(between(metrics, "\n"+name+" ", "\n"), 64); err != nil {
			return v, err
		}
	}
	return v, nil
}

func (s *stage) ops(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.product.opsAddr+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

func (s *stage) sample(ctx, until context.Context) (samples []vitals) {
	for sleepUntil(until, time.Now().Add(5*time.Second)) == nil {
		if v, err := s.vitals(ctx); err == nil {
			samples = append(samples, v)
			if len(samples)%6 == 0 {
				s.say("heap %.1f MB, resident %.1f MB, %.0f goroutines", v.heap/1e6, v.resident/1e6, v.goroutines)
			}
		}
	}
	return samples
}

// quiet waits until the product has as few goroutines as before, for as long as a stalled client may be waited for.
func (s *stage) quiet(ctx context.Context, before vitals) (v vitals, err error) {
	http.DefaultClient.CloseIdleConnections()
	for end := time.Now().Add(settleWithin); ; {
		if v, err = s.vitals(ctx); err != nil || v.goroutines <= before.goroutines || time.Now().After(end) {
			return v, err
		}
		if err := sleepUntil(ctx, time.Now().Add(time.Second)); err != nil {
			return v, err
		}
	}
}

func (s *stage) judgeSoak(changes int, rate float64, all []*soaker, before, after vitals, samples []vitals) error {
	var sum soaker
	for _, one := range all {
		sum.told += one.told
		sum.connections += one.connections
		sum.stalls += one.stalls
		sum.missed += one.missed
		sum.repeated += one.repeated
	}
	heap := func(part []vitals) float64 {
		var heaps []float64
		for _, v := range part {
			heaps = append(heaps, v.heap)
		}
		slices.Sort(heaps)
		return heaps[len(heaps)/2]
	}
	quarter := max(1, len(samples)/4)
	if len(samples) < 4 {
		return errors.New("the soak was too short to tell of memory")
	}
	early, late := heap(samples[quarter:2*quarter]), heap(samples[len(samples)-quarter:])
	fmt.Fprintf(s.Out, "Soak: %d changes at %.0f/s; %d subscribers over %d connections, with %d stalls, were told %d changes; missed %d, repeated %d.\n"+
		"Heap in use: %.1f MB in the second quarter, %.1f MB in the last. Goroutines: %.0f before, %.0f after. Resident: %.1f MB at the end.\n",
		changes, rate, len(all), sum.connections, sum.stalls, sum.told, sum.missed, sum.repeated,
		early/1e6, late/1e6, before.goroutines, after.goroutines, after.resident/1e6)
	switch {
	case sum.missed > 0 || sum.repeated > 0:
		return errors.New("subscribers were told too little or too much")
	case late > early+growthAllowed:
		return errors.New("memory grows")
	case after.goroutines > before.goroutines:
		return errors.New("goroutines are left")
	}
	return nil
}
