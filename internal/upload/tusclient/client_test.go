package tusclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"itemcast/internal/upload/tusclient"
	"itemcast/internal/upload/tusdtest"
)

func some(n int) []byte {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	return content
}

func of(content []byte) tusclient.Upload {
	return tusclient.Upload{Content: bytes.NewReader(content), Size: int64(len(content))}
}

func TestSend_TusdHasTheSameBytesAndTheMetadata(t *testing.T) {
	t.Parallel()
	s, content := tusdtest.Start(t), some(1_000_000)
	u := of(content)
	u.Metadata = map[string]string{"filename": "a, b ü.mp4", "empty": ""}
	var created string
	u.Created = func(url string) error { created = url; return nil }
	var last int64
	u.Progress = func(sent int64) { last = sent }
	done, err := s.Client(300_000).Send(t.Context(), u)
	if err != nil || done.URL != created || last != u.Size || !bytes.Equal(s.Content(done.URL), content) {
		t.Fatalf("got %+v, %v after %d bytes", done, err, last)
	}
	if got := s.Metadata(); !maps.Equal(got, u.Metadata) {
		t.Errorf("the metadata are %q", got)
	}
	if n := s.Count(http.MethodPatch); n != 4 {
		t.Errorf("%d chunks were sent", n)
	}
}

func TestSend_CredentialsGoOnlyWithTheRequestThatCreates(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	c := s.Client(10)
	c.Header = http.Header{"Authorization": {"Bearer secret"}}
	s.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if got := r.Header.Get("Authorization"); (got != "") != (r.Method == http.MethodPost) {
			t.Errorf("%s has the credentials %q", r.Method, got)
		}
		return false
	})
	if _, err := c.Send(t.Context(), of(some(100))); err != nil {
		t.Fatal(err)
	}
}

func TestSend_SurvivesCutConnections(t *testing.T) {
	t.Parallel()
	s, content := tusdtest.Start(t), some(5_000_000)
	s.Cut(2)
	u := of(content)
	retries := 0
	u.Retrying = func(error) { retries++ }
	done, err := s.Client(1_000_000).Send(t.Context(), u)
	if err != nil || !bytes.Equal(s.Content(done.URL), content) {
		t.Fatalf("got %+v, %v", done, err)
	}
	if retries == 0 || s.Count(http.MethodHead) != retries {
		t.Errorf("%d retries asked %d times for the offset", retries, s.Count(http.MethodHead))
	}
}

// The server has the chunk, and its answer is lost.
func TestSend_ALostAnswerRepeatsNoByte(t *testing.T) {
	t.Parallel()
	s, content := tusdtest.Start(t), some(3000)
	lost := map[string]bool{}
	s.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		at := r.Header.Get("Upload-Offset")
		if r.Method != http.MethodPatch || lost[at] {
			return false
		}
		lost[at] = true
		s.Files.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	done, err := s.Client(1000).Send(t.Context(), of(content))
	if err != nil || !bytes.Equal(s.Content(done.URL), content) {
		t.Fatalf("got %+v, %v", done, err)
	}
	if n := s.Count(http.MethodPatch); n != 3 {
		t.Errorf("%d chunks were sent instead of 3", n)
	}
}

func TestSend_ResumesAtTheOffsetOfTheServer(t *testing.T) {
	t.Parallel()
	s, content := tusdtest.Start(t), some(3000)
	stop := errors.New("the machine loses its power")
	u := of(content)
	n := 0
	u.Check = func() error {
		if n++; n == 3 {
			return stop
		}
		return nil
	}
	cut, err := s.Client(1000).Send(t.Context(), u)
	if !errors.Is(err, stop) || cut.URL == "" {
		t.Fatalf("got %+v, %v", cut, err)
	}
	u.URL, u.Check = cut.URL, nil
	done, err := s.Client(1000).Send(t.Context(), u)
	if err != nil || done.URL != cut.URL || !bytes.Equal(s.Content(done.URL), content) {
		t.Fatalf("got %+v, %v", done, err)
	}
	if n := s.Count(http.MethodPatch); n != 3 {
		t.Errorf("%d chunks were sent in all instead of 3", n)
	}
	if done, err = s.Client(1000).Send(t.Context(), u); err != nil || done.URL != cut.URL {
		t.Errorf("the finished upload answers %+v, %v", done, err)
	}
}

func TestSend_SaysThatAnUploadIsGone(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	u := of(some(100))
	u.URL = s.URL + "/files/0123456789abcdef0123456789abcdef"
	if _, err := s.Client(10).Send(t.Context(), u); !errors.Is(err, tusclient.ErrGone) {
		t.Errorf("an unknown upload: %v", err)
	}
	other, err := s.Client(10).Send(t.Context(), of(some(50)))
	if err != nil {
		t.Fatal(err)
	}
	u.URL = other.URL
	if _, err := s.Client(10).Send(t.Context(), u); !errors.Is(err, tusclient.ErrGone) {
		t.Errorf("an upload of another length: %v", err)
	}
	if err := s.Client(10).Terminate(t.Context(), other.URL); err != nil {
		t.Errorf("terminate: %v", err)
	}
	if err := s.Client(10).Terminate(t.Context(), other.URL); err != nil {
		t.Errorf("terminate again: %v", err)
	}
}

func TestSend_WaitsForWhatMayPassAndEndsAtWhatDoesNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method string
		status int
		passes bool
	}{
		{http.MethodPost, 503, true}, {http.MethodPost, 429, true}, {http.MethodPost, 401, false},
		{http.MethodPost, 409, false}, {http.MethodPost, 413, false}, {http.MethodPost, 301, false},
		{http.MethodPatch, 423, true}, {http.MethodPatch, 409, true}, {http.MethodPatch, 460, true},
		{http.MethodPatch, 500, true}, {http.MethodPatch, 507, true}, {http.MethodPatch, 415, false},
		{http.MethodPatch, 404, false}, {http.MethodPatch, 501, false},
	} {
		t.Run(fmt.Sprintf("%s %d", c.method, c.status), func(t *testing.T) {
			t.Parallel()
			s := tusdtest.Start(t)
			refused := false
			s.Before(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != c.method || refused {
					return false
				}
				refused = true
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(c.status)
				fmt.Fprint(w, `{"code":"NO","detail":"Do this."}`)
				return true
			})
			_, err := s.Client(10).Send(t.Context(), of(some(20)))
			if (err == nil) != c.passes {
				t.Fatalf("the upload ends with %v", err)
			}
			failed, ok := errors.AsType[*tusclient.Refused](err)
			if !c.passes && !errors.Is(err, tusclient.ErrGone) && (!ok || failed.Code != "NO" || err.Error() != "Do this.") {
				t.Errorf("the error is %+v", err)
			}
		})
	}
}

func TestSend_GivesUpAfterATimeWithoutProgress(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	s.Cut(1)
	c := s.Client(10)
	c.RetryFor = time.Nanosecond
	_, err := c.Send(t.Context(), of(some(20)))
	if away, ok := errors.AsType[*tusclient.Away](err); !ok || away.For == 0 {
		t.Errorf("got %v", err)
	}
}

func TestSend_AServerThatNeverAnsweredFailsAtOnce(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	s.Close()
	c := s.Client(10)
	c.Pause = func(context.Context, time.Duration) error { t.Error("it waits"); return nil }
	_, err := c.Send(t.Context(), of(some(20)))
	if away, ok := errors.AsType[*tusclient.Away](err); !ok || away.For != 0 || strings.Contains(err.Error(), "POST") {
		t.Errorf("got %v", err)
	}
}

func TestSend_AsksUntilTheServerIsDoneWithAllBytes(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	s.Before(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead && s.Count(http.MethodHead) == 3 {
			w.Header().Set("X-Item", "7")
		}
		return false
	})
	u := of(some(20))
	u.Complete = func(h http.Header) bool { return h.Get("X-Item") != "" }
	u.Retrying = func(err error) { t.Errorf("a wait for the server is told as the failure %v", err) }
	done, err := s.Client(10).Send(t.Context(), u)
	if err != nil || done.Header.Get("X-Item") != "7" {
		t.Errorf("got %+v, %v", done, err)
	}
}

func TestSend_AFileThatIsCutWhileItIsSentEndsTheUpload(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	u := of(some(15))
	u.Size = 20
	if _, err := s.Client(10).Send(t.Context(), u); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestSend_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.Before(func(http.ResponseWriter, *http.Request) bool {
		if s.Count(http.MethodPatch) == 1 {
			cancel()
		}
		return false
	})
	if _, err := s.Client(10).Send(ctx, of(some(20))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSend_EachChunkHasItsChecksum(t *testing.T) {
	t.Parallel()
	s := tusdtest.Start(t)
	s.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && r.Header.Get("Upload-Checksum") !=
			"sha256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" { // of "abc"
			t.Errorf("the checksum is %q", r.Header.Get("Upload-Checksum"))
		}
		return false
	})
	if _, err := s.Client(3).Send(t.Context(), of([]byte("abcabc"))); err != nil {
		t.Fatal(err)
	}
}
