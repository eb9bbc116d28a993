package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/bench/internal/store"
)

// broadcast writes every change of the log to all its connections, as one prepared frame. It reads the log as
// Itemcast does, by its notification and its statements. It has no queries, filters, users or slow clients.
type broadcast struct {
	mu    sync.Mutex
	conns []net.Conn
	after int64
}

// join adds a connection, which it takes over from net/http.
func (b *broadcast) join(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
	if _, err := conn.Write([]byte(upgrade)); err != nil {
		_ = conn.Close()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns = append(b.conns, conn)
}

// run follows the log until ctx ends.
func (b *broadcast) run(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN itemcast_position"); err != nil {
		return err
	}
	q := store.New(conn)
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		head, err := q.Head(ctx)
		if err != nil {
			return err
		}
		if b.idle() {
			b.after = head.Position
			continue
		}
		changes, err := q.ChangesAfter(ctx, store.ChangesAfterParams{After: b.after, Batch: 1000})
		if err != nil {
			return err
		}
		for _, c := range changes {
			b.write(prepare(c))
			b.after = c.Position
		}
	}
}

func (b *broadcast) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns) == 0
}

// write writes a frame to all connections, on all cores. It drops connections that fail.
func (b *broadcast) write(frame []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	share := (len(b.conns) + runtime.NumCPU() - 1) / runtime.NumCPU()
	var writing sync.WaitGroup
	for start := 0; start < len(b.conns); start += share {
		part := b.conns[start:min(start+share, len(b.conns))]
		writing.Go(func() {
			for i, conn := range part {
				if conn == nil {
					continue
				}
				if _, err := conn.Write(frame); err != nil {
					_ = conn.Close()
					part[i] = nil
				}
			}
		})
	}
	writing.Wait()
	left := b.conns[:0]
	for _, conn := range b.conns {
		if conn != nil {
			left = append(left, conn)
		}
	}
	b.conns = left
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
