package sse

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

// Writer writes server-sent events; what was written goes out with Flush.
type Writer struct {
	response http.ResponseWriter
	control  *http.ResponseController
	buffer   bytes.Buffer
}

// Event writes an event; name and id may be empty, data is JSON on one line.
func (w *Writer) Event(name, id string, data []byte) {
	if name != "" {
		w.buffer.WriteString("event: " + name + "\n")
	}
	if id != "" {
		w.buffer.WriteString("id: " + id + "\n")
	}
	w.buffer.WriteString("data: ")
	w.buffer.Write(data)
	w.buffer.WriteString("\n\n")
}

// Checkpoint tells a cursor by an event of a type of its own, which carries data, although a lone id would do for a browser: the parser under
// npm's eventsource passes over events without data, their id too, and a client that had connected without a cursor would lose what came
// between a break before the first event and its resume.
func (w *Writer) Checkpoint(cursor string) {
	w.Event("checkpoint", cursor, []byte(`{"cursor":"`+cursor+`"}`)) // a cursor is base64url
}

// Mark tells a cursor without an event, to clients that take no other types of event than they know.
func (w *Writer) Mark(cursor string) { w.buffer.WriteString("id: " + cursor + "\n\n") }

// retry tells the client how long to wait before it connects again.
func (w *Writer) retry(wait time.Duration) {
	w.buffer.WriteString("retry: " + strconv.FormatInt(wait.Milliseconds(), 10) + "\n\n")
}

func (w *Writer) comment() { w.buffer.WriteString(":\n\n") }

// Flush sends what was written, each piece in its own time; its error means that the client has gone or has stopped reading.
func (w *Writer) Flush() error {
	if w.buffer.Len() == 0 {
		return nil
	}
	for part := range slices.Chunk(w.buffer.Bytes(), piece) {
		if err := w.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
			return err
		}
		if _, err := w.response.Write(part); err != nil {
			return err
		}
	}
	w.buffer = bytes.Buffer{} // an idle stream holds none
	return w.control.Flush()
}
