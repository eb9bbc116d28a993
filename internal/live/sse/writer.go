package sse

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A client must read each chunk within the timeout. One that reads about 4 KiB/s is slow, but not gone.
const (
	writeTimeout = 15 * time.Second
	chunkSize    = 64 << 10 // bytes
)

// Writer writes server-sent events into a buffer; Flush sends the buffer. It belongs to one goroutine.
type Writer struct {
	response http.ResponseWriter
	control  *http.ResponseController
	buffer   bytes.Buffer
}

// Event writes an event. The type and id may be empty; data is JSON on one line.
func (w *Writer) Event(eventType, id string, data []byte) {
	if eventType != "" {
		w.buffer.WriteString("event: " + eventType + "\n")
	}
	if id != "" {
		w.buffer.WriteString("id: " + id + "\n")
	}
	w.buffer.WriteString("data: ")
	w.buffer.Write(data)
	w.buffer.WriteString("\n\n")
}

// Checkpoint writes a cursor as an event of type "checkpoint". A lone id would do for a browser, but the parser of
// npm's eventsource ignores events without data, and their ids. Such a client, if it connected without a cursor, would
// lose the changes between a break before the first event and its resume.
func (w *Writer) Checkpoint(cursor string) {
	w.Event("checkpoint", cursor, []byte(`{"cursor":"`+cursor+`"}`)) // a cursor is base64url
}

// Mark writes a cursor as a lone id, for clients that accept no other event types than their own.
func (w *Writer) Mark(cursor string) { w.buffer.WriteString("id: " + cursor + "\n\n") }

// Retry sets how long the client waits before it reconnects.
func (w *Writer) Retry(wait time.Duration) {
	w.buffer.WriteString("retry: " + strconv.FormatInt(wait.Milliseconds(), 10) + "\n\n")
}

// Flush sends the buffer in chunks, each with its own deadline. An error means that the client has disconnected or
// stopped reading.
func (w *Writer) Flush() error {
	if w.buffer.Len() == 0 {
		return nil
	}
	for chunk := range slices.Chunk(w.buffer.Bytes(), chunkSize) {
		if err := w.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		if _, err := w.response.Write(chunk); err != nil {
			return err
		}
	}
	w.buffer = bytes.Buffer{} // free the memory: most streams are idle
	return w.control.Flush()
}
