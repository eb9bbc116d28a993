package outgoing_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"itemcast/internal/upload/outgoing"
	"itemcast/internal/upload/tusclient"
	"itemcast/internal/upload/tusdtest"
)

const chunk = 1000

// bundle is a file to send to a server.
type bundle struct {
	*tusdtest.Server
	sender *outgoing.Sender
	file   outgoing.File
	told   []string
}

func setup(t *testing.T, size int) *bundle {
	t.Helper()
	b := &bundle{Server: tusdtest.Start(t)}
	b.sender = &outgoing.Sender{Client: b.Client(chunk), Folder: filepath.Join(t.TempDir(), "state")}
	path := filepath.Join(t.TempDir(), "film.mp4")
	b.file = outgoing.File{
		Path: path, Metadata: map[string]string{"filename": "film.mp4"},
		Resumed: func(offset int64) {
			b.told = append(b.told, "resumed")
			if offset == 0 || offset%chunk != 0 {
				t.Errorf("it resumes at %d", offset)
			}
		},
		Changed:  func() { b.told = append(b.told, "changed") },
		Gone:     func() { b.told = append(b.told, "gone") },
		Deleted:  func(string) { b.told = append(b.told, "deleted") },
		Progress: func(int64, int64) {},
		Retrying: func(error) {},
		Warn:     func(what string, err error) { t.Errorf("%s: %v", what, err) },
	}
	b.write(t, some(size))
	return b
}

func some(n int) []byte {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	return content
}

func (b *bundle) write(t *testing.T, content []byte) {
	t.Helper()
	if err := os.WriteFile(b.file.Path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// interrupt sends a chunk and ends as a process that is killed: without a word to the server.
func (b *bundle) interrupt(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b.Before(func(http.ResponseWriter, *http.Request) bool {
		if b.Count(http.MethodPatch) == 2 {
			cancel()
			panic(http.ErrAbortHandler)
		}
		return false
	})
	if _, err := b.sender.Send(ctx, b.file); !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted upload ends with %v", err)
	}
	b.Before(nil)
}

// send sends the file, and checks that the server has its bytes.
func (b *bundle) send(t *testing.T) outgoing.Sent {
	t.Helper()
	sent, err := b.sender.Send(t.Context(), b.file)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(b.file.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Content(sent.Item), content) {
		t.Errorf("the server has other bytes")
	}
	return sent
}

func (b *bundle) wantTold(t *testing.T, words ...string) {
	t.Helper()
	if !slices.Equal(b.told, words) {
		t.Errorf("told %v, want %v", b.told, words)
	}
}

func TestSend_ResumesWhatAnotherProcessBegan(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	b.interrupt(t)
	b.send(t)
	b.wantTold(t, "resumed")
	if n := b.Count(http.MethodPost); n != 1 {
		t.Errorf("%d uploads were created", n)
	}
}

func TestSend_SendsAFileOnceUnlessAskedTo(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	first := b.send(t)
	if again := b.send(t); !again.Before || again.Item != first.Item || first.Before {
		t.Errorf("got %+v, then %+v", first, again)
	}
	b.sender.Again = true
	if again := b.send(t); again.Before || again.Item == first.Item {
		t.Errorf("asked to, it sends %+v after %+v", again, first)
	}
	b.file.Metadata["item_id"] = "7"
	b.sender.Again = false
	if elsewhere := b.send(t); elsewhere.Before {
		t.Error("a file that goes elsewhere is not sent")
	}
	b.wantTold(t)
}

func TestSend_SendsAFileAgainThatTheServerNoLongerHas(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	first := b.send(t)
	away := errors.New("away")
	for _, answer := range []struct {
		present bool
		err     error
	}{{true, nil}, {false, nil}, {false, away}} {
		b.sender.Present = func(_ context.Context, _ outgoing.File, before outgoing.Sent) (bool, error) {
			if before.Item != first.Item {
				t.Errorf("it asks for %s instead of %s", before.Item, first.Item)
			}
			return answer.present, answer.err
		}
		next, err := b.sender.Send(t.Context(), b.file)
		if !errors.Is(err, answer.err) || err == nil && next.Before != answer.present {
			t.Errorf("it is there %t: got %+v, %v", answer.present, next, err)
		}
		if err == nil {
			first = next
		}
	}
	b.wantTold(t, "deleted")
}

func TestSend_AFileThatHasChangedBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, b *bundle){
		"in size": func(t *testing.T, b *bundle) { b.write(t, some(6*chunk)) },
		"in time": func(t *testing.T, b *bundle) {
			if err := os.Chtimes(b.file.Path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		},
		"in content": func(t *testing.T, b *bundle) {
			info, err := os.Stat(b.file.Path)
			if err != nil {
				t.Fatal(err)
			}
			b.write(t, slices.Concat(some(4*chunk), make([]byte, chunk)))
			if err := os.Chtimes(b.file.Path, time.Time{}, info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 5*chunk)
			b.interrupt(t)
			change(t, b)
			b.send(t)
			b.wantTold(t, "changed")
			if n := b.Uploads(); n != 1 {
				t.Errorf("the server has %d uploads", n)
			}
		})
	}
}

func TestSend_AFileThatChangesMeanwhileIsNotCompleted(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	b.Before(func(http.ResponseWriter, *http.Request) bool {
		if b.Count(http.MethodPatch) == 2 {
			b.write(t, some(9*chunk))
		}
		return false
	})
	if _, err := b.sender.Send(t.Context(), b.file); !errors.Is(err, outgoing.ErrChanged) {
		t.Errorf("got %v", err)
	}
	if n := b.Uploads(); n != 0 {
		t.Errorf("the server has %d uploads", n)
	}
	b.Before(nil)
	b.send(t)
	b.wantTold(t)
}

func TestSend_BeginsAnewWhenTheServerHasLostTheBeginning(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	b.interrupt(t)
	gone := false
	b.Before(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead && !gone {
			gone = true
			w.WriteHeader(http.StatusGone)
			return true
		}
		return false
	})
	b.send(t)
	b.wantTold(t, "gone")
}

func TestSend_WhatIsRefusedForGoodBeginsAnewNextTime(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	b.Before(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusUnsupportedMediaType)
		}
		return r.Method == http.MethodPatch
	})
	_, err := b.sender.Send(t.Context(), b.file)
	if refused, ok := errors.AsType[*tusclient.Refused](err); !ok || refused.Status != http.StatusUnsupportedMediaType {
		t.Fatalf("got %v", err)
	}
	b.Before(nil)
	b.send(t)
	if n := b.Count(http.MethodPost); n != 2 {
		t.Errorf("%d uploads were created", n)
	}
}

func TestSend_OneProcessAtATimeSendsAFile(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	b.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			if _, err := b.sender.Send(t.Context(), b.file); !errors.Is(err, outgoing.ErrUnderWay) {
				t.Errorf("the second process gets %v", err)
			}
		}
		return false
	})
	b.send(t)
}

func TestSend_AStateThatCannotBeReadIsNone(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	b.interrupt(t)
	files, _ := filepath.Glob(filepath.Join(b.sender.Folder, "*.json"))
	if len(files) != 1 {
		t.Fatalf("the state is %v", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("the state has the mode %v, %v", info.Mode(), err)
	}
	if err := os.Truncate(files[0], 20); err != nil {
		t.Fatal(err)
	}
	b.send(t)
	b.wantTold(t)
}

func TestSend_WithoutAPlaceForTheStateSaysSoAndSends(t *testing.T) {
	t.Parallel()
	b := setup(t, 5*chunk)
	b.sender.Folder = filepath.Join(b.file.Path, "below a file")
	warned := false
	b.file.Warn = func(string, error) { warned = true }
	b.send(t)
	if !warned {
		t.Error("nothing is said")
	}
}

func TestSend_SaysWhatIsWrongWithAFile(t *testing.T) {
	t.Parallel()
	b := setup(t, chunk)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		t.TempDir():     "it is a folder: name the files in it",
		empty:           "the file is empty",
		"/no/such/file": "no such file or directory",
		"/dev/null":     "it is no regular file, and cannot be resumed: save it as a file first",
	} {
		b.file.Path = path
		if _, err := b.sender.Send(t.Context(), b.file); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
