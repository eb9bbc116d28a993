package bench

import (
	"io"
	"net/http"
	"os"

	"github.com/tus/tusd/v2/pkg/filelocker"
	"github.com/tus/tusd/v2/pkg/filestore"
	tusd "github.com/tus/tusd/v2/pkg/handler"
	"golang.org/x/exp/slog"
)

const tusPath = "/tus/"

// upload copies a body to a file, whatever it is, and answers when the file is on the disk, as Itemcast does. The file
// stays until the baseline ends: if it went, the next one would get its pages of memory, which are the cheapest.
func (b *baseline) upload(w http.ResponseWriter, r *http.Request) {
	file, err := os.CreateTemp(b.folder, "upload-*")
	if err != nil {
		fail(w, err)
		return
	}
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

// newTus returns tusd's own server, as its command builds it for a folder.
func newTus(folder string) (http.Handler, error) {
	composer := tusd.NewStoreComposer()
	filestore.New(folder).UseIn(composer)
	filelocker.New(folder).UseIn(composer)
	handler, err := tusd.NewHandler(tusd.Config{BasePath: tusPath, StoreComposer: composer,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return nil, err
	}
	return http.StripPrefix(tusPath, handler), nil
}
