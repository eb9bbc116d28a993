package outgoing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// keepFor is how long records of uploads are kept. A server drops unfinished uploads long before.
const keepFor = 30 * 24 * time.Hour

// record is what is remembered of an upload.
type record struct {
	Version  int       `json:"version"`
	File     string    `json:"file"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Print    string    `json:"print"` // of the content
	URL      string    `json:"url"`
	Item     string    `json:"item_id,omitempty"` // once it is complete
}

const recordVersion = 1

// slot is the place of a record. Without a file nothing is remembered.
type slot struct{ file *os.File }

// ErrUnderWay is returned while another process sends the same file to the same place.
var ErrUnderWay = errors.New("another itemcast uploads the same file to the same place: wait for it")

// openSlot locks the place of the upload that parts identify. The lock lasts until close.
func openSlot(folder string, parts ...string) (*slot, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	path := filepath.Join(folder, hex.EncodeToString(sum.Sum(nil)[:16])+".json")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrUnderWay
		}
		return nil, err
	}
	return &slot{file}, nil
}

// read returns the record; the zero record if there is none that can be read.
func (s *slot) read() (r record) {
	if s.file == nil {
		return record{}
	}
	// A process that was killed while it wrote may have left the end of a longer record behind this one.
	err := json.NewDecoder(io.NewSectionReader(s.file, 0, 1<<20)).Decode(&r)
	if err != nil || r.Version != recordVersion {
		return record{}
	}
	return r
}

// write replaces the record. It is on the disk when write returns.
func (s *slot) write(r record) error {
	if s.file == nil {
		return nil
	}
	r.Version = recordVersion
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	text = append(text, '\n')
	_, err = s.file.WriteAt(text, 0)
	if err == nil {
		err = s.file.Truncate(int64(len(text)))
	}
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}

func (s *slot) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// sweep removes old records.
func sweep(folder string, now time.Time) {
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && now.Sub(info.ModTime()) > keepFor {
			_ = os.Remove(file)
		}
	}
}
