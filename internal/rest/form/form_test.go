package form_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"itemcast/internal/problem"
	"itemcast/internal/rest/form"
)

const boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"

// written returns a form of parts, each a header and a content in turn.
func written(parts ...string) string {
	var out strings.Builder
	for i := 0; i < len(parts); i += 2 {
		fmt.Fprintf(&out, "--%s\r\n%s\r\n\r\n%s\r\n", boundary, parts[i], parts[i+1])
	}
	return out.String() + "--" + boundary + "--\r\n"
}

func file(name string) string {
	return `Content-Disposition: form-data; name="file"; filename="` + name + `"` + "\r\nContent-Type: video/mp4"
}

func field(name string) string { return `Content-Disposition: form-data; name="` + name + `"` }

func request(contentType string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", contentType)
	return r
}

// read reads a form to its end, and returns what its parts are.
func read(body io.Reader) (parts []string, err error) {
	f, err := form.New(request("multipart/form-data; boundary="+boundary), body)
	if err != nil {
		return nil, err
	}
	for {
		p, err := f.Next()
		if err != nil || p == nil {
			return parts, err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return parts, err
		}
		parts = append(parts, fmt.Sprintf("%s/%s/%t %d bytes", p.Name, p.FileName, p.IsFile, len(content)))
	}
}

func TestReader_ReadsThePartsInTheirOrder(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789\r\n--", 50_000)
	whole := written(field("kind"), "source", file(""), "", file("my %22best%22.mp4"), large, field("after"), "")
	want := []string{"kind//false 6 bytes", fmt.Sprintf("file/my %%22best%%22.mp4/true %d bytes", len(large)), "after//false 0 bytes"}
	for name, body := range map[string]io.Reader{
		"at once":              strings.NewReader(whole),
		"byte by byte":         iotest.OneByteReader(strings.NewReader(whole)),
		"data with the end":    iotest.DataErrReader(strings.NewReader(whole)),
		"no line end":          strings.NewReader(strings.TrimSuffix(whole, "\r\n")),
		"with a preamble":      strings.NewReader("preamble\r\n" + whole),
		"something behind it":  strings.NewReader(whole + "behind\r\n--" + boundary + "\r\n\r\nno part\r\n"),
		"spaces at its border": strings.NewReader(strings.ReplaceAll(whole, boundary+"\r\n", boundary+" \t\r\n")),
	} {
		got, err := read(body)
		if err != nil || strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// Package multipart takes a body that ends after a line of a part's header for a whole form.
func TestReader_AFormThatIsCutAnywhereIsIncomplete(t *testing.T) {
	t.Parallel()
	whole := written(field("kind"), "source", file("a.mp4"), strings.Repeat("clip", 20), file("b.mp4"), "")
	for n := range len(whole) - len("\r\n") {
		for _, body := range []io.Reader{strings.NewReader(whole[:n]), io.MultiReader(strings.NewReader(whole[:n]),
			iotest.ErrReader(io.ErrUnexpectedEOF))} {
			_, err := read(body)
			if p := problem.Of(err); p == nil || p.Code != problem.BadRequest || !strings.Contains(p.Detail, "incomplete") {
				t.Errorf("cut after %q: got %v", whole[:n], err)
			}
		}
	}
}

func TestReader_RefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("clip"))
	digest := base64.StdEncoding.EncodeToString(sum[:])
	with := func(line string) string { return written(file("a.mp4")+"\r\n"+line, "clip") }
	for name, c := range map[string]struct{ body, says string }{
		"no name":        {written(`Content-Disposition: form-data; filename="a.mp4"`, "x"), "Part 1 of the form has no name"},
		"no quotes":      {written(`Content-Disposition: form-data; name="file"; filename=my clip.mp4`, "x"), "Content-Disposition of part 1 of the form is malformed"},
		"two file names": {written(`Content-Disposition: form-data; name="file"; filename="a"; filename="b"`, "x"), "malformed"},
		"an attachment":  {written(`Content-Disposition: attachment; name="file"; filename="a"`, "x"), "malformed"},
		"no disposition": {written("Content-Type: video/mp4", "x"), "0 headers Content-Disposition"},
		"two of them":    {written(field("kind"), "x", file("a")+"\r\n"+file("b"), "x"), "Part 2 of the form has 2 headers Content-Disposition"},
		"no header":      {"--" + boundary + "\r\nno header\r\n\r\nx\r\n--" + boundary + "--\r\n", "malformed"},
		"base64":         {with("Content-Transfer-Encoding: base64"), `Content-Transfer-Encoding "base64"`},
		"no file name":   {written(file(""), "x"), "a file without a name"},
		"long headers":   {with("X-Long: " + strings.Repeat("x", 11<<20)), "headers of part 1 of the form are too large"},
		"much behind it": {with("") + strings.Repeat("x", 100<<10), "follow the end"},
		"shorter":        {with("Content-Length: 5"), "has 4 bytes, and its Content-Length says 5"},
		"longer":         {with("Content-Length: 3"), "has 4 bytes, and its Content-Length says 3"},
		"no length":      {with("Content-Length: many"), "no number of bytes"},
		"two lengths":    {with("Content-Length: 4\r\nContent-Length: 4"), "no number of bytes"},
		"another digest": {with("Content-Digest: sha-256=:" + strings.ToLower(digest) + ":"), "does not have the SHA-256"},
		"no digest":      {with("Content-Digest: sha-256=" + digest), "Content-Digest of part 1 of the form is malformed"},
	} {
		_, err := read(strings.NewReader(c.body))
		if p := problem.Of(err); p == nil || p.Code != problem.BadRequest || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, line := range []string{"Content-Length: 4", "Content-Digest: md5=:AA==:, sha-256=:" + digest + ":",
		"Content-Digest: md5=:AA==:", "Content-Transfer-Encoding: Binary"} {
		if _, err := read(strings.NewReader(with(line))); err != nil {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

func TestNew_NeedsABoundary(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; x",
		"multipart/form-data; boundary=" + strings.Repeat("x", 71)} {
		if _, err := form.New(request(contentType), strings.NewReader("")); !problem.Is(err, problem.BadRequest) {
			t.Errorf("%q: got %v", contentType, err)
		}
	}
}

func TestReader_ErrorsOfTheBodyStayAsTheyAre(t *testing.T) {
	t.Parallel()
	whole, broken := written(file("a.mp4"), strings.Repeat("clip", 100_000)), errors.New("the body is broken")
	for _, n := range []int{len(whole) / 2, len(whole) - 10} {
		_, err := read(io.MultiReader(strings.NewReader(whole[:n]), iotest.ErrReader(problem.New(problem.TooLarge, "too large"))))
		if !problem.Is(err, problem.TooLarge) {
			t.Errorf("cut at %d: got %v", n, err)
		}
	}
	_, err := read(io.MultiReader(strings.NewReader(whole[:len(whole)/2]), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestPart_AFieldHasALimit(t *testing.T) {
	t.Parallel()
	for length, ok := range map[int]bool{0: true, 10: true, 11: false} {
		f, err := form.New(request("multipart/form-data; boundary="+boundary),
			strings.NewReader(written(field("kind"), strings.Repeat("x", length))))
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Next()
		if err != nil {
			t.Fatal(err)
		}
		text, err := p.Text(10)
		if ok && (err != nil || len(text) != length) || !ok && !problem.Is(err, problem.TooLarge) {
			t.Errorf("%d bytes: got %q, %v", length, text, err)
		}
	}
}

// Bytes of any form come once, whatever the client writes between them, and a form that is read is whole.
func FuzzReader(f *testing.F) {
	f.Add([]byte(written(field("kind"), "source", file("a.mp4"), "clip")))
	f.Add([]byte(written(file("a.mp4")+"\r\nContent-Length: 4", "clip")))
	f.Add([]byte("--" + boundary + "\r\n" + file("a.mp4") + "\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := read(bytes.NewReader(body))
		if err != nil && problem.Of(err) == nil {
			t.Errorf("got %v", err)
		}
		if err == nil && !bytes.Contains(body, []byte("--"+boundary+"--")) {
			t.Errorf("read %q of a form without an end", parts)
		}
	})
}
