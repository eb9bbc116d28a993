package outgoing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"itemcast/internal/upload/tusclient"
)

// itemHeader is the header by which Itemcast names the item that a complete upload has become, or whose asset it is.
const itemHeader = "Itemcast-Item-Id"

// Sender sends files to a server. Its methods may be called concurrently.
type Sender struct {
	Client *tusclient.Client
	Folder string // of the state; "": nothing is remembered
	Again  bool   // send a file that has been sent

	// Present reports whether the server still has what an earlier call has sent: the item that a file became, or its
	// asset of the item. Its error ends the call. nil: it is not asked.
	Present func(ctx context.Context, f File, before Sent) (bool, error)
}

// File is a file to send.
type File struct {
	Path     string
	Metadata map[string]string // for the server
	Key      string            // what else makes an upload another one, such as its ticket

	Resumed  func(offset int64)         // told before the rest of a file is sent
	Changed  func()                     // told when a file is sent anew because it has changed since
	Gone     func()                     // told when a file is sent anew because the server no longer has its beginning
	Deleted  func(item string)          // told when a file is sent anew because Present has not found it
	Progress func(sent, of int64)       // in bytes
	Retrying func(cause error)          // told why the sender waits
	Warn     func(what string, e error) // told why the upload cannot be resumed
}

// Sent is what has become of a file.
type Sent struct {
	Item   string // its id
	Size   int64
	Before bool // an earlier call has sent it
}

// Send sends a file, or the rest of it. Errors: ErrChanged, ErrUnderWay; those of the file; of Present;
// of Client.Send.
func (s *Sender) Send(ctx context.Context, f File) (Sent, error) {
	source, err := openSource(f.Path)
	if err != nil {
		return Sent{}, err
	}
	defer source.file.Close()
	state, err := s.open(f, source)
	if err != nil {
		return Sent{}, err
	}
	defer state.close()
	print, err := source.print()
	if err != nil {
		return Sent{}, err
	}
	now := record{File: source.path, Size: source.size, Modified: source.modified, Print: print}
	before := state.read()
	same := before.Size == now.Size && before.Modified.Equal(now.Modified) && before.Print == now.Print
	switch {
	case before.URL == "":
	case same && before.Item != "" && !s.Again:
		sent := Sent{Item: before.Item, Size: before.Size, Before: true}
		if present, err := s.present(ctx, f, sent); err != nil || present {
			return sent, err
		}
		f.Deleted(before.Item)
	case same && before.Item == "" && !s.Again:
		now.URL = before.URL
	case before.Item == "": // what the server has of the other version is of no use
		if !same {
			f.Changed()
		}
		_ = s.Client.Terminate(ctx, before.URL) // or it expires
	}
	sent, err := s.send(ctx, f, source, state, now)
	if errors.Is(err, tusclient.ErrGone) && now.URL != "" {
		f.Gone()
		now.URL = ""
		sent, err = s.send(ctx, f, source, state, now)
	}
	return sent, err
}

func (s *Sender) present(ctx context.Context, f File, before Sent) (bool, error) {
	if s.Present == nil {
		return true, nil
	}
	return s.Present(ctx, f, before)
}

// open opens the place of an upload's record.
func (s *Sender) open(f File, source *source) (*slot, error) {
	if s.Folder == "" {
		return &slot{}, nil
	}
	sweep(s.Folder, time.Now())
	parts := []string{s.Client.Endpoint, source.path, f.Key}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		parts = append(parts, key, f.Metadata[key])
	}
	state, err := openSlot(s.Folder, parts...)
	if err != nil && !errors.Is(err, ErrUnderWay) {
		f.Warn("the state of uploads cannot be kept, so this one cannot be resumed", err)
		return &slot{}, nil
	}
	return state, err
}

// send sends a file. now has the URL of an upload to resume, or none.
func (s *Sender) send(ctx context.Context, f File, source *source, state *slot, now record) (Sent, error) {
	resumed := now.URL == ""
	done, err := s.Client.Send(ctx, tusclient.Upload{
		Content: source.file, Size: source.size, Metadata: f.Metadata, URL: now.URL,
		Created: func(url string) error {
			now.URL = url
			return state.write(now)
		},
		Check: source.check,
		Progress: func(sent int64) {
			if !resumed {
				resumed = true
				f.Resumed(sent)
			}
			f.Progress(sent, source.size)
		},
		Retrying: f.Retrying,
		Complete: func(h http.Header) bool { return h.Get(itemHeader) != "" },
	})
	switch {
	case errors.Is(err, ErrChanged):
		_ = s.Client.Terminate(ctx, now.URL)
		return Sent{}, errors.Join(err, state.write(record{}))
	case isFinal(err): // the same call begins anew
		return Sent{}, errors.Join(err, state.write(record{}))
	case err != nil:
		return Sent{}, err
	}
	now.Item = done.Header.Get(itemHeader)
	if err := state.write(now); err != nil {
		f.Warn(fmt.Sprintf("the same command would upload it again, although it is item %s", now.Item), err)
	}
	return Sent{Item: now.Item, Size: source.size}, nil
}

// isFinal reports whether an upload cannot be resumed. A proxy that asks for credentials says nothing about the upload.
func isFinal(err error) bool {
	refused, ok := errors.AsType[*tusclient.Refused](err)
	return ok && refused.Status != http.StatusUnauthorized && refused.Status != http.StatusForbidden
}
