package file

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sender records how bytes reach it, as net/http's writer would send them.
type sender struct {
	*httptest.ResponseRecorder
	begun     bool
	files     int // steps that could be sent by sendfile
	deadlines []time.Time
}

func (s *sender) WriteHeader(status int) {
	s.begun = true
	s.ResponseRecorder.WriteHeader(status)
}

func (s *sender) ReadFrom(from io.Reader) (int64, error) {
	if limited, ok := from.(*io.LimitedReader); ok {
		if _, ok := limited.R.(*os.File); ok {
			s.files++
		}
	}
	return io.Copy(s.ResponseRecorder, from)
}

func (s *sender) SetWriteDeadline(at time.Time) error {
	s.deadlines = append(s.deadlines, at)
	return nil
}

func TestPacedWriter_SendsAFileByStepsThatSendfileTakes(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(name, make([]byte, 2*step+10), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := &sender{ResponseRecorder: httptest.NewRecorder()}
	began := time.Now()
	http.ServeContent(newPacedWriter(s), httptest.NewRequest(http.MethodGet, "/", nil), "clip.mp4", time.Time{}, file)
	if s.files != 3 || len(s.deadlines) != 3 || s.Body.Len() != 2*step+10 || s.Code != http.StatusOK {
		t.Errorf("%d steps of a file, %d deadlines, %d bytes, status %d", s.files, len(s.deadlines), s.Body.Len(), s.Code)
	}
	for _, at := range s.deadlines {
		if at.Before(began.Add(stepTimeout)) {
			t.Errorf("a step has %s", at.Sub(began))
		}
	}
}

// unready is content of a storage that does not answer.
type unready struct{ io.ReadSeeker }

var errAway = errors.New("the storage is away")

func (unready) Prepare(int64) error { return errAway }

func TestPacedWriter_AnswersNothingBeforeTheStorageHasTheFirstByte(t *testing.T) {
	t.Parallel()
	s := &sender{ResponseRecorder: httptest.NewRecorder()}
	w := newPacedWriter(s)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Range", "bytes=1-2")
	http.ServeContent(w, request, "clip.mp4", time.Time{}, unready{strings.NewReader("0123")})
	if !errors.Is(w.failure, errAway) || s.begun || s.Body.Len() > 0 {
		t.Errorf("%v, begun %v, %d bytes", w.failure, s.begun, s.Body.Len())
	}
}
