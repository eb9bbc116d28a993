package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"itemcast/internal/media/blob"
	"itemcast/internal/media/blob/s3test"
)

// opened is a bucket, and what it holds besides what the package says.
type opened struct {
	*blob.Bucket
	left func() int // objects, temporary files and parts
}

// inEveryStore runs a test on a folder and on a real S3 server.
func inEveryStore(t *testing.T, test func(t *testing.T, b opened)) {
	t.Parallel()
	open := func(t *testing.T, at string) *blob.Bucket {
		b, err := blob.Open(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "not", "yet", "there")
		at := url.URL{Scheme: "file", Path: dir}
		test(t, opened{open(t, at.String()), func() int { return files(t, dir) }})
	})
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		server := s3test.Start(t)
		test(t, opened{open(t, server.URL), func() int {
			objects, uploads := server.Objects(context.WithoutCancel(t.Context()))
			return objects + uploads
		}})
	})
}

func files(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	key   = "0123456789abcdef0123456789abcdef"
	large = 20 << 20 // bytes: S3 gets it in parts
	limit = 1 << 30
)

// random returns bytes that are the same in every run.
func random(size int) []byte {
	source := rand.NewChaCha8([32]byte{1})
	all := make([]byte, size)
	_, _ = source.Read(all)
	return all
}

func TestWrite_StoresWhatItHasRead(t *testing.T) {
	inEveryStore(t, func(t *testing.T, b opened) {
		for name, size := range map[string]int{"00empty": 0, "01small": 10, "02large": large} {
			all := random(size)
			written, err := b.Write(t.Context(), name, "video/mp4", limit, iotest.HalfReader(bytes.NewReader(all)))
			if err != nil {
				t.Fatal(err)
			}
			if written.Size != int64(size) || written.SHA256 != sha256.Sum256(all) {
				t.Errorf("%s: %d bytes were measured, of %d", name, written.Size, size)
			}
			content, err := b.Open(t.Context(), name, int64(size))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(content)
			if err != nil || !bytes.Equal(got, all) {
				t.Errorf("%s: %d bytes were read, of %d (%v)", name, len(got), size, err)
			}
			content.Close()
		}
	})
}

func TestOpen_ReadsAnyPart(t *testing.T) {
	inEveryStore(t, func(t *testing.T, b opened) {
		all := random(100_000)
		if _, err := b.Write(t.Context(), key, "video/mp4", limit, bytes.NewReader(all)); err != nil {
			t.Fatal(err)
		}
		content, err := b.Open(t.Context(), key, int64(len(all)))
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		if err := iotest.TestReader(io.NewSectionReader(readerAt{content}, 0, int64(len(all))), all); err != nil {
			t.Error(err)
		}
		for _, c := range [][2]int64{{0, 10}, {10, 100}, {99_990, 100}, {50_000, 0}, {100_000, 10}, {10, 10}} {
			if prepared, ok := content.(blob.Preparer); ok {
				_, _ = content.Seek(c[0], io.SeekStart)
				if err := prepared.Prepare(c[1]); err != nil {
					t.Errorf("prepare %v: %v", c, err)
				}
			}
			at, err := content.Seek(c[0], io.SeekStart)
			if err != nil || at != c[0] {
				t.Fatalf("seek to %d: at %d (%v)", c[0], at, err)
			}
			got, err := io.ReadAll(io.LimitReader(content, c[1]))
			want := all[c[0]:min(c[0]+c[1], int64(len(all)))]
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %d bytes were read, of %d (%v)", c, len(got), len(want), err)
			}
		}
		if end, err := content.Seek(-10, io.SeekEnd); err != nil || end != int64(len(all))-10 {
			t.Errorf("seek from the end: %d (%v)", end, err)
		}
		if _, err := content.Seek(-1, io.SeekStart); err == nil {
			t.Error("there is something before the beginning")
		}
	})
}

// readerAt reads at an offset by seeking.
type readerAt struct{ io.ReadSeeker }

func (r readerAt) ReadAt(p []byte, offset int64) (int, error) {
	if _, err := r.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func TestWrite_LeavesNothingOfAFileThatFails(t *testing.T) {
	inEveryStore(t, func(t *testing.T, b opened) {
		broken := errors.New("the client is gone")
		ctx, cancel := context.WithCancel(t.Context())
		for name, c := range map[string]struct {
			ctx    context.Context
			limit  int64
			source io.Reader
			want   error
		}{
			"too long":   {t.Context(), large - 1, bytes.NewReader(random(large)), blob.ErrTooLarge},
			"small":      {t.Context(), 9, strings.NewReader("0123456789"), blob.ErrTooLarge},
			"fails":      {t.Context(), limit, io.MultiReader(bytes.NewReader(random(large)), iotest.ErrReader(broken)), broken},
			"at once":    {t.Context(), limit, iotest.ErrReader(broken), broken},
			"given up":   {ctx, limit, &cancelling{bytes.NewReader(random(2 * large)), large, cancel}, context.Canceled},
			"never used": {cancelled(t), limit, strings.NewReader("x"), context.Canceled},
		} {
			_, err := b.Write(c.ctx, key, "video/mp4", c.limit, c.source)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			if _, ok := errors.AsType[*blob.SourceError](err); ok == errors.Is(c.want, blob.ErrTooLarge) {
				t.Errorf("%s: %T", name, err)
			}
			if n := b.left(); n > 0 {
				t.Errorf("%s: %d things are left", name, n)
			}
		}
	})
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// cancelling ends a context after some bytes.
type cancelling struct {
	io.Reader
	after  int
	cancel func()
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.after -= n; c.after < 0 {
		c.cancel()
	}
	return n, err
}

func TestDelete_LeavesNothing(t *testing.T) {
	inEveryStore(t, func(t *testing.T, b opened) {
		if _, err := b.Write(t.Context(), key, "video/mp4", limit, bytes.NewReader(random(large))); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing
			if err := b.Delete(t.Context(), key, false); err != nil {
				t.Error(err)
			}
		}
		if n := b.left(); n > 0 {
			t.Errorf("%d things are left", n)
		}
		content, err := b.Open(t.Context(), key, large)
		if err == nil {
			_, err = content.Read(make([]byte, 1))
			content.Close()
		}
		if !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("a deleted blob: %v", err)
		}
	})
}

func TestDelete_RemovesWhatAKilledProcessHasLeftInAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := blob.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write(t.Context(), "01"+strings.Repeat("f", 30), "video/mp4", limit, strings.NewReader("another")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "01", key+".18a7.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), key, true); err != nil || files(t, dir) != 1 {
		t.Errorf("%v: %d files are left, want the other one", err, files(t, dir))
	}
}

func TestDelete_AbortsTheUploadsThatAKilledProcessHasLeftOnS3(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for _, at := range []string{server.URL, server.URL + "&prefix=others%2F"} {
		b, err := blob.Open(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		name := key
		if strings.Contains(at, "prefix") {
			name = "others/" + key
		}
		upload, err := server.Client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
			Bucket: &server.Bucket, Key: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Client.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: &server.Bucket, Key: aws.String(name),
			UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(random(5 << 20))}); err != nil {
			t.Fatal(err)
		}
		if err := b.Delete(t.Context(), key, true); err != nil {
			t.Error(err)
		}
		if objects, uploads := server.Objects(t.Context()); objects+uploads > 0 {
			t.Errorf("%s: %d objects and %d uploads are left", at, objects, uploads)
		}
	}
}

func TestOpen_RefusesWhatIsNoStore(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "media", "http://example.com/", "file://media", "file://host/media", "file:///media?x=1",
		"s3://", "s3://bucket/folder", "s3://user:secret@bucket", "s3://bucket?no_such=1", "%zz"} {
		if b, err := blob.Open(t.Context(), at); err == nil {
			b.Close()
			t.Errorf("%s was opened", at)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}

func TestCheck_SaysWhetherTheStoreAnswers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "media")
	b, err := blob.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if b.Check(t.Context()) == nil {
		t.Error("a folder that is gone answers")
	}
	server := s3test.Start(t)
	b, err = blob.Open(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
	other, err := blob.Open(t.Context(), strings.Replace(server.URL, "media", "absent", 1))
	if err != nil {
		t.Fatal(err)
	}
	if other.Check(t.Context()) == nil {
		t.Error("a bucket that does not exist answers")
	}
	server.Stop()
	if b.Check(t.Context()) == nil {
		t.Error("a server that is gone answers")
	}
}
