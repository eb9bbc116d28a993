package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
)

// folder stores each blob as a file. Its 256 subfolders stay, so that no delete races with the making of a folder.
type folder struct{ dir string }

func openFolder(u *url.URL) (store, *gocloud.Bucket, error) {
	if u.Host != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "" {
		return nil, nil, fmt.Errorf("%s must be a folder such as file:///srv/media", u.Redacted())
	}
	dir := filepath.Clean(u.Path)
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{CreateDir: true, DirFileMode: 0o700, NoTempDir: true,
		Metadata: fileblob.MetadataDontWrite})
	return folder{dir}, bucket, err
}

func (f folder) path(key string) string { return key[:2] + "/" + key }

// write stores a file under a temporary name first. The file and its name are on the disk when it returns.
func (f folder) write(
	ctx context.Context, bucket *gocloud.Bucket, path, contentType string, _ int64, source io.Reader,
) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var file *os.File
	writer, err := bucket.NewWriter(ctx, path, &gocloud.WriterOptions{ContentType: contentType,
		BeforeWrite: func(as func(any) bool) error {
			if !as(&file) {
				return errors.New("the writer has no file")
			}
			return nil
		}})
	if err != nil {
		return err
	}
	to := &early{to: writer, file: func() *os.File { return file }}
	if _, err = io.Copy(to, source); err == nil {
		err = file.Sync()
	}
	if err != nil {
		cancel() // Close then removes the temporary file
		_ = writer.Close()
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return syncFolder(filepath.Join(f.dir, filepath.Dir(path)))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// open returns the file itself, so that a server can send it by sendfile.
func (f folder) open(_ context.Context, _ *gocloud.Bucket, path string, size int64) (io.ReadSeekCloser, error) {
	file, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() != size {
		err = fmt.Errorf("%s has %d bytes, and had %d", path, info.Size(), size)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// discardParts removes the temporary files of a killed process.
func (f folder) discardParts(_ context.Context, path string) error {
	left, err := filepath.Glob(filepath.Join(f.dir, filepath.FromSlash(path)) + ".*.tmp")
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

func (f folder) check(context.Context) error {
	info, err := os.Stat(f.dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", f.dir)
	}
	return err
}
