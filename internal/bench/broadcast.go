package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/bench/internal/store"
)

// broadcast writes every change of the log to all its connections, as one prepared frame. It reads the log as
// Itemcast does, by its notification and its statements, and only while it has a connection: otherwise it would read
// along, on the same Postgres, while Itemcast is measured. It has no queries, filters, users or slow clients.
type broadcast struct {
	url       string // of the database
	mu        sync.Mutex
	conns     []net.Conn
	stop      context.CancelFunc // ends the reading of the log; nil: nobody reads it
	following sync.WaitGroup
}

// join adds a connection, which it takes over from net/http. It answers when the broadcast reads the log.
func (b *broadcast) join(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stop == nil {
		if err := b.start(r.Context()); err != nil {
			fail(w, err)
			return
		}
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		b.stopIfIdle()
		return
	}
	b.conns = append(b.conns, conn)
	b.following.Go(func() {
		_, _ = io.Copy(io.Discard, conn) // until one of both sides closes it
		b.leave(conn)
	})
	const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
	if _, err := conn.Write([]byte(upgrade)); err != nil {
		_ = conn.Close()
	}
}

func (b *broadcast) leave(conn net.Conn) {
	_ = conn.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns = slices.DeleteFunc(b.conns, func(c net.Conn) bool { return c == conn })
	b.stopIfIdle()
}

func (b *broadcast) stopIfIdle() {
	if len(b.conns) == 0 && b.stop != nil {
		b.stop()
		b.stop = nil
	}
}

// close ends all connections.
func (b *broadcast) close() {
	b.mu.Lock()
	for _, conn := range b.conns {
		_ = conn.Close()
	}
	b.mu.Unlock()
	b.following.Wait()
}

// start begins to read the log at its end.
func (b *broadcast) start(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return err
	}
	var head store.FeedHead
	if _, err = conn.Exec(ctx, "LISTEN itemcast_position"); err == nil {
		head, err = store.New(conn).Head(ctx)
	}
	if err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	ctx, b.stop = context.WithCancel(context.Background())
	b.following.Go(func() {
		defer conn.Close(context.Background())
		if err := b.follow(ctx, conn, head.Position); ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "the baseline's broadcast failed:", err)
		}
	})
	return nil
}

// follow reads the log until ctx ends.
func (b *broadcast) follow(ctx context.Context, conn *pgx.Conn, after int64) error {
	q := store.New(conn)
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		if _, err := q.Head(ctx); err != nil { // as Itemcast does
			return err
		}
		changes, err := q.ChangesAfter(ctx, store.ChangesAfterParams{After: after, Batch: 1000})
		if err != nil {
			return err
		}
		for _, c := range changes {
			b.write(prepare(c))
			after = c.Position
		}
	}
}

// write writes a frame to all connections, on all cores. It closes connections that fail, so that they leave.
func (b *broadcast) write(frame []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	share := (len(b.conns) + runtime.NumCPU() - 1) / runtime.NumCPU()
	var writing sync.WaitGroup
	for start := 0; start < len(b.conns); start += share {
		part := b.conns[start:min(start+share, len(b.conns))]
		writing.Go(func() {
			for _, conn := range part {
				if _, err := conn.Write(frame); err != nil {
					_ = conn.Close()
				}
			}
		})
	}
	writing.Wait()
}

// prepare makes the frame that Itemcast sends, with another cursor.
func prepare(c store.ChangesAfterRow) []byte {
	payload := fmt.Appendf(nil, `{"id":"1","type":"next","payload":{"data":{"itemChanges":{"revision":%d,`+
		`"item":{"id":"%s"},"kind":"UPDATED","cursor":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","document":%s}}}}`,
		c.Revision, c.ItemID, c.Document)
	const text, with16Bits, with64Bits = 0x81, 126, 127
	if len(payload) < 1<<16 {
		return append(binary.BigEndian.AppendUint16([]byte{text, with16Bits}, uint16(len(payload))), payload...)
	}
	return append(binary.BigEndian.AppendUint64([]byte{text, with64Bits}, uint64(len(payload))), payload...)
}
