package bench

import (
	"io"
	"net/http"
	"os"
)

// upload copies a body to a file, whatever it is, and answers when the file is on the disk, as Itemcast does. It
// removes the file after the answer.
func (b *baseline) upload(w http.ResponseWriter, r *http.Request) {
	file, err := os.CreateTemp(b.folder, "upload-*")
	if err != nil {
		fail(w, err)
		return
	}
	defer func() { _ = os.Remove(file.Name()) }()
	if _, err = io.Copy(file, r.Body); err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		fail(w, err)
		return
	}
	writeJSON(w, []byte("{}"))
	_ = http.NewResponseController(w).Flush()
}
