package rest

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	writeWithin = 15 * time.Second // for a client to take one piece
	piece       = 64 << 10         // bytes: a client that takes some 4 KiB/s is slow, not gone
)

// eventWriter writes server-sent events; what was written goes out with flush.
type eventWriter struct {
	response http.ResponseWriter
	control  *http.ResponseController
	buffer   bytes.Buffer
	sent     time.Time
}

// event writes an event; name and id may be empty, data is JSON on one line.
func (e *eventWriter) event(name, id string, data []byte) {
	if name != "" {
		e.buffer.WriteString("event: " + name + "\n")
	}
	if id != "" {
		e.buffer.WriteString("id: " + id + "\n")
	}
	e.buffer.WriteString("data: ")
	e.buffer.Write(data)
	e.buffer.WriteString("\n\n")
}

// retry tells the client how long to wait before it connects again.
func (e *eventWriter) retry(wait time.Duration) {
	e.buffer.WriteString("retry: " + strconv.FormatInt(wait.Milliseconds(), 10) + "\n\n")
}

func (e *eventWriter) comment() { e.buffer.WriteString(":\n\n") }

// quiet is for how long nothing has been sent.
func (e *eventWriter) quiet() time.Duration { return time.Since(e.sent) }

// flush sends what was written, each piece in its own time; its error means that the client has gone or has stopped reading.
func (e *eventWriter) flush() error {
	if e.buffer.Len() == 0 {
		return nil
	}
	for part := range slices.Chunk(e.buffer.Bytes(), piece) {
		if err := e.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
			return err
		}
		if _, err := e.response.Write(part); err != nil {
			return err
		}
	}
	e.sent = time.Now()
	e.buffer = bytes.Buffer{} // an idle stream holds none
	return e.control.Flush()
}
