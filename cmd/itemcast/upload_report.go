package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"text/tabwriter"
	"time"

	"itemcast/internal/plaintext"
	"itemcast/internal/upload/outgoing"
	"itemcast/internal/upload/tusclient"
)

// uploadReport tells of the uploads of a command.
type uploadReport struct {
	*console
	server string
	json   bool
	total  int

	progress *progress
	began    time.Time
	done     []uploadedFile
	failed   int
	stopped  error // why the rest was not tried
}

// uploadedFile is a line of JSON.
type uploadedFile struct {
	File   string `json:"file"`
	Status string `json:"status"` // uploaded, present or failed
	Size   int64  `json:"size,omitempty"`
	Item   string `json:"item_id,omitempty"`
	URL    string `json:"url,omitempty"`
	Code   string `json:"code,omitempty"`
	Error  string `json:"error,omitempty"`
}

// begin returns a file that tells how far it is.
func (r *uploadReport) begin(path string) outgoing.File {
	name, away := plaintext.Show(filepath.Base(path)), false
	r.began = time.Now()
	r.progress = newProgress(r.err, "uploading "+name+":", "", 0)
	r.progress.show = bytesText
	return outgoing.File{
		Path:    path,
		Resumed: func(offset int64) { r.progress.note("%s: resumes at %s", name, bytesText(offset)) },
		Changed: func() { r.progress.note("%s: has changed since its upload began, so it begins anew", name) },
		Gone:    func() { r.progress.note("%s: the server no longer has its beginning, so it begins anew", name) },
		Deleted: func(item string) {
			r.progress.note("%s: was uploaded before, and has been deleted from item %s, so it is uploaded again", name, item)
		},
		Warn: func(what string, err error) { r.progress.note("%s: %s: %v", name, what, err) },
		Progress: func(sent, of int64) {
			away = false
			r.progress.total = of
			r.progress.at(sent)
		},
		Retrying: func(cause error) {
			if !away { // once for each time that the server is away
				r.progress.note("%s: waits for the server, then goes on (%v)", name, cause)
			}
			away = true
		},
	}
}

// end tells of the end of a file. It returns whether the other files are not to be tried.
func (r *uploadReport) end(path string, sent outgoing.Sent, err error) (stop bool) {
	r.progress.end()
	name := plaintext.Show(filepath.Base(path))
	one := uploadedFile{File: path, Size: sent.Size, Item: sent.Item}
	switch {
	case err != nil:
		r.failed++
		one.Status, one.Error = "failed", err.Error()
		if refused, ok := errors.AsType[*tusclient.Refused](err); ok {
			one.Code = refused.Code
		}
		if stop = endsAll(err); stop {
			r.stopped = err
		}
		fmt.Fprintf(r.err, "%s: %s\n", name, plaintext.Show(err.Error()))
	case sent.Before:
		one.Status, one.URL = "present", r.itemURL(sent.Item)
		fmt.Fprintf(r.err, "%s: was uploaded before (--again uploads it again)\n", name)
	default:
		one.Status, one.URL = "uploaded", r.itemURL(sent.Item)
		fmt.Fprintf(r.err, "%s: uploaded %s in %s\n", name, bytesText(sent.Size), rounded(time.Since(r.began)))
	}
	if err == nil {
		r.done = append(r.done, one)
	}
	if r.json {
		_ = json.NewEncoder(r.out).Encode(one)
	}
	return stop
}

func (r *uploadReport) itemURL(id string) string { return r.server + "/api/v1/items/" + id }

// endsAll reports whether what happened to a file would happen to the others too.
func endsAll(err error) bool {
	if errors.Is(err, context.Canceled) {
		return true
	}
	if _, away := errors.AsType[*tusclient.Away](err); away {
		return true
	}
	refused, ok := errors.AsType[*tusclient.Refused](err)
	return ok && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden ||
		refused.Status/100 == 3)
}

// conclude prints the items, and ends the process with the code of what has failed.
func (r *uploadReport) conclude(ctx context.Context) error {
	if !r.json && len(r.done) > 0 {
		out := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "FILE\tITEM\tURL")
		for _, one := range r.done {
			fmt.Fprintf(out, "%s\t%s\t%s\n", plaintext.Show(one.File), one.Item, one.URL)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	_, away := errors.AsType[*tusclient.Away](r.stopped)
	switch {
	case ctx.Err() != nil:
		exit(r.console, exitInterrupted, "interrupted; run the command again to resume")
	case away:
		exit(r.console, exitAway, "the server at %s is away; run the command again to resume", r.server)
	case r.failed > 0 && len(r.done) > 0:
		exit(r.console, exitRejected, "%d of %s failed; the others are uploaded", r.failed, plural(r.total, "file", "files"))
	case r.failed > 0:
		return fmt.Errorf("%s failed", plural(r.failed, "file", "files"))
	}
	return nil
}

// bytesText writes a number of bytes for people.
func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
