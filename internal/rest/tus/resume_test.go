package tus_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/upload"
)

// slow is a PATCH whose body stops half-way.
type slow struct {
	pipe     *io.PipeWriter
	answered chan nodetest.Response // closed without a value if the connection broke
}

// begin sends the beginning of a PATCH whose length is that of all of the rest, and waits until it is read.
func begin(t *testing.T, url string, at int, sent []byte, length int) *slow {
	t.Helper()
	reader, writer := io.Pipe()
	s := &slow{writer, make(chan nodetest.Response, 1)}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = int64(length)
	for name, value := range map[string]string{"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream",
		"Upload-Offset": strconv.Itoa(at)} {
		request.Header.Set(name, value)
	}
	go func() {
		defer close(s.answered)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		s.answered <- nodetest.Response{Status: response.StatusCode, Header: response.Header, Body: body}
	}()
	if _, err := writer.Write(sent); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { writer.Close() })
	return s
}

// A client that has lost its connection resumes at any node, while the first node still waits for its bytes.
func TestTus_AnotherNodeTakesOverWhatTheFirstHolds(t *testing.T) {
	t.Parallel()
	storage := "file://" + t.TempDir()
	first := nodetest.StartStoringOn(t, dbtest.New(t), storage)
	second := nodetest.StartStoringOn(t, first.Pool, storage)
	in := newInbox(t, first, nil)
	content := clip(300_000)
	url := create(t, first, len(content), in.sign(t, in.claims())...)
	elsewhere := strings.Replace(url, first.URL, second.URL, 1)
	now := 0
	for _, at := range []string{elsewhere, url} {
		from := now
		held := begin(t, url, from, content[from:from+100_000], len(content)-from)
		nodetest.Eventually(t, "it is held", func() bool { return count(t, first.Pool, "upload WHERE writer IS NOT NULL") == 1 })
		if now = offset(t, at); now < from || now > from+100_000 {
			t.Fatalf("the other request sees %d bytes", now)
		}
		if got, ok := <-held.answered; ok && got.Status != http.StatusLocked {
			t.Errorf("the first request ended with %d %s", got.Status, got.Body)
		}
	}
	wantItem(t, first, patch(t, elsewhere, now, content[now:]).WantStatus(t, 204), content)
}

// Nobody waits longer than some seconds for a holder that cannot let go, and gets what makes clients wait.
func TestTus_HEADWaitsWithoutStartingOver(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, nil)
	url := create(t, n, 1000, in.sign(t, in.claims())...)
	// As a node that is alive and hangs.
	if _, err := n.Pool.Exec(t.Context(), "UPDATE upload SET writer = gen_random_uuid()"); err != nil {
		t.Fatal(err)
	}
	if got := call(t, http.MethodHead, url, nil); got.Status != http.StatusLocked || len(got.Body) > 0 {
		t.Errorf("HEAD: %d %s", got.Status, got.Body)
	}
	// As one that died: its lock is free.
	if _, err := n.Pool.Exec(t.Context(), "UPDATE upload SET node = gen_random_uuid()"); err != nil {
		t.Fatal(err)
	}
	if at := offset(t, url); at != 0 {
		t.Errorf("%d bytes", at)
	}
	// Without its database, the server cannot know.
	if _, err := n.Pool.Exec(t.Context(), "ALTER TABLE upload RENAME TO elsewhere"); err != nil {
		t.Fatal(err)
	}
	if got := call(t, http.MethodHead, url, nil); got.Status != http.StatusLocked {
		t.Errorf("HEAD without a table: %d", got.Status)
	}
}

// An upload resumes an hour later, and even a day after its last byte; then it is gone, with its bytes.
func TestTus_UploadsExpireADayAfterTheirLastByte(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	n := nodetest.StartAt(t, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	in := newInbox(t, n, nil)
	content := clip(3000)
	ticket := in.sign(t, in.claims())
	url := create(t, n, len(content), ticket...)
	for i, later := range []time.Duration{0, time.Hour, 24 * time.Hour} {
		ahead.Store(int64(later))
		sweep(t, n)
		if at := offset(t, url); at != i*1000 {
			t.Fatalf("after %s the upload has %d bytes", later, at)
		}
		if i < 2 {
			patch(t, url, i*1000, content[i*1000:i*1000+1000]).WantStatus(t, 204)
		}
	}
	ahead.Store(int64(time.Hour + upload.ExpireAfter + time.Minute))
	sweep(t, n)
	call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusGone)
	got := patch(t, url, 2000, content[2000:])
	got.WantProblem(t, "expired", http.StatusGone, "GONE")
	if !strings.Contains(got.Detail(t), "expired") {
		t.Errorf("it says %s", got.Detail(t))
	}
	url = create(t, n, len(content), ticket...) // its ticket is free
	wantItem(t, n, patch(t, url, 0, content).WantStatus(t, 204), content)
}

// What has come as a whole becomes an item, whatever happened to the node and the storage, and whoever asks.
func TestTus_WhatHasComeIsFinished(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, nil)
	content := clip(100_000)
	complete := func() string {
		t.Helper()
		url := create(t, n, len(content), in.sign(t, in.claims())...)
		// The transaction that makes the item fails, as without a database.
		exec(t, n, "ALTER TABLE item RENAME TO items_away")
		if got := patch(t, url, 0, content); got.Status < 500 {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
		if got := call(t, http.MethodHead, url, nil); got.Status != http.StatusLocked {
			t.Errorf("HEAD answers %d before there is an item: the client would take the upload for done", got.Status)
		}
		exec(t, n, "ALTER TABLE items_away RENAME TO item")
		return url
	}
	url := complete()
	wantItem(t, n, call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusOK), content)
	complete()
	exec(t, n, "UPDATE upload SET seen_at = now() - interval '1 minute'")
	sweep(t, n)
	if items := nodetest.CountItems(t, n.Pool); items != 2 {
		t.Errorf("%d items", items)
	}
}

func exec(t *testing.T, n *nodetest.Node, statement string) {
	t.Helper()
	if _, err := n.Pool.Exec(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestTus_OperatorsSeeAndStopUploads(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, nil)
	c := in.claims()
	content := clip(300_000)
	url := create(t, n, len(content), in.sign(t, c)...)
	patch(t, url, 0, content[:100_000]).WantStatus(t, 204)
	list := func() []map[string]any {
		return n.Call(http.MethodGet, "/api/v1/uploads", "").WantStatus(t, http.StatusOK).Results(t)
	}
	shown := list()
	if len(shown) != 1 || shown[0]["way"] != "tus" || shown[0]["nonce"] != c.Nonce || shown[0]["bytes"] != float64(100_000) ||
		shown[0]["size_expected"] != float64(300_000) {
		t.Fatalf("shows %v", shown)
	}
	held := begin(t, url, 100_000, content[100_000:200_000], 200_000)
	n.Call(http.MethodDelete, "/api/v1/uploads/"+shown[0]["id"].(string), "").WantStatus(t, http.StatusNoContent)
	if got := nodetest.Next(t, held.answered); got.Status != http.StatusGone {
		t.Errorf("its client gets %d %s", got.Status, got.Body)
	}
	call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusGone)
	if len(list()) != 0 {
		t.Errorf("shows %v", list())
	}
	create(t, n, 5, in.sign(t, c)...)
}

func sweep(t *testing.T, n *nodetest.Node) {
	t.Helper()
	if err := n.SweepUploads(t.Context()); err != nil {
		t.Fatal(err)
	}
}
