package oneshot_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/upload/ticket"
)

func TestUpload_RefusesBadFormsAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	file := fileNamed("clip.mp4", clip(50_000))
	headed := func(head string) part { return part{head, file.body} }
	whole := form(file)
	for name, c := range map[string]struct {
		body []byte
		code string
		says string
	}{
		"no file":           {form(), "BAD_REQUEST", "has no file"},
		"no file chosen":    {form(fileNamed("", nil)), "BAD_REQUEST", "has no file"},
		"an empty file":     {form(fileNamed("empty.mp4", nil)), "BAD_REQUEST", `"empty.mp4" is empty`},
		"one of two empty":  {form(file, fileNamed("empty.mp4", nil)), "BAD_REQUEST", `"empty.mp4" is empty`},
		"no name of a part": {form(headed(`Content-Disposition: form-data; filename="clip.mp4"`)), "BAD_REQUEST", "Part 1 of the form has no name"},
		"an unquoted name with a space": {form(headed(`Content-Disposition: form-data; name="file"; filename=my clip.mp4`)),
			"BAD_REQUEST", "Content-Disposition of part 1 of the form is malformed"},
		"two file names": {form(headed(`Content-Disposition: form-data; name="file"; filename="a"; filename="b"`)),
			"BAD_REQUEST", "malformed"},
		"no file name": {form(headed(`Content-Disposition: form-data; name="file"; filename*=utf-16''a`)), "BAD_REQUEST",
			"without a name"},
		"an attachment": {form(headed(`Content-Disposition: attachment; name="file"; filename="a"`)), "BAD_REQUEST",
			"malformed"},
		"no Content-Disposition":  {form(headed(`Content-Type: video/mp4`)), "BAD_REQUEST", "0 headers Content-Disposition"},
		"two Content-Disposition": {form(headed(file.head + "\r\n" + file.head)), "BAD_REQUEST", "2 headers Content-Disposition"},
		"no headers":              {[]byte("--" + boundary + "\r\n\r\nx\r\n--" + boundary + "--\r\n"), "BAD_REQUEST", ""},
		"malformed headers":       {form(headed("no header")), "BAD_REQUEST", "malformed"},
		"base64":                  {form(headed(file.head + "\r\nContent-Transfer-Encoding: base64")), "BAD_REQUEST", "Content-Transfer-Encoding"},
		"a field after a file":    {form(file, field("name", "x")), "BAD_REQUEST", `"name" comes after a file`},
		"the ticket after a file": {form(file, field(ticket.InfoName, "x")), "BAD_REQUEST", "comes after a file"},
		"an unknown field":        {form(field("name", "x"), file), "BAD_REQUEST", `has a field "name"`},
		"another name of a file": {form(headed(`Content-Disposition: form-data; name="video"; filename="a.mp4"`)), "BAD_REQUEST",
			`in the field "video"`},
		"a file without a name": {form(headed(`Content-Disposition: form-data; name="file"; filename=""`)), "BAD_REQUEST",
			"without a name"},
		"content as text":        {form(headed(`Content-Disposition: form-data; name="file"`)), "BAD_REQUEST", "without a name"},
		"no end of the form":     {whole[:len(whole)-len(boundary)-6], "BAD_REQUEST", "incomplete"},
		"cut in a part's header": {append(bytes.Clone(whole[:len(whole)-4]), "\r\n"+file.head+"\r\n"...), "BAD_REQUEST", "incomplete"},
		"another boundary":       {bytes.ReplaceAll(whole, []byte(boundary), []byte("--other")), "BAD_REQUEST", ""},
		"much after the end":     {append(bytes.Clone(whole), make([]byte, 100<<10)...), "BAD_REQUEST", "follow the end"},
		"101 files":              {form(manyFiles(101)...), "TOO_LARGE", "may have 100 files"},
	} {
		header := in.sign(t, in.claims())
		got := in.send(t, header, c.body)
		status := map[string]int{"BAD_REQUEST": http.StatusBadRequest, "TOO_LARGE": http.StatusRequestEntityTooLarge}[c.code]
		got.WantProblem(t, name, status, c.code)
		if !strings.Contains(string(bytes.ReplaceAll(got.Body, []byte(`\"`), []byte(`"`))), c.says) {
			t.Errorf("%s: says %s", name, got.Body)
		}
	}
	header := in.sign(t, in.claims())
	for name, contentType := range map[string]string{"no boundary": "multipart/form-data",
		"a long boundary": "multipart/form-data; boundary=" + strings.Repeat("x", 71)} {
		header.Set("Content-Type", contentType)
		in.send(t, header, whole).WantProblem(t, name, http.StatusBadRequest, "BAD_REQUEST")
	}
	for name, contentType := range map[string]string{"JSON": "application/json", "another multipart": "multipart/mixed; boundary=x",
		"a form without files": "application/x-www-form-urlencoded"} {
		header.Set("Content-Type", contentType)
		in.send(t, header, whole).WantProblem(t, name, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
	}
	wantNothingLeft(t, in.Pool)
}

func manyFiles(n int) (all []part) {
	for i := range n {
		all = append(all, fileNamed(fmt.Sprint(i, ".mp4"), clip(100)))
	}
	return all
}

func TestUpload_RefusesBadTickets(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	body := form(fileNamed("clip.mp4", clip(5000)))
	good := in.sign(t, in.claims())
	info, signature := good.Get(ticket.InfoName), good.Get(ticket.SignatureName)
	expired := in.claims()
	expired.Expires = 1_700_000_000
	ahead := in.claims()
	ahead.Expires += 8 * 24 * 3600
	other := in.claims()
	other.Profile[15]++
	badItem := in.claims()
	badItem.Item = json.RawMessage(`{"name":7}`)
	with := func(info, signature string) http.Header {
		return http.Header{"Itemcast-Upload-Info": {info}, "Itemcast-Upload-Signature": {signature}}
	}
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
		status int
		code   string
	}{
		"none":            {nil, body, 401, "TICKET_MISSING"},
		"in no field":     {nil, form(), 401, "TICKET_MISSING"},
		"half":            {with(info, ""), body, 401, "TICKET_MISSING"},
		"altered":         {with(info[:9]+"A"+info[10:], signature), body, 401, "TICKET_INVALID"},
		"another profile": {in.sign(t, other), body, 401, "TICKET_INVALID"},
		"expired":         {in.sign(t, expired), body, 403, "TICKET_EXPIRED"},
		"far ahead":       {in.sign(t, ahead), body, 401, "TICKET_INVALID"},
		"two": {http.Header{"Itemcast-Upload-Info": {info, info}, "Itemcast-Upload-Signature": {signature, signature}}, body,
			400, "INVALID_INPUT"},
		"two in one header": {with(info+", "+info, signature), body, 401, "TICKET_INVALID"},
		"two in fields": {nil, form(field(ticket.InfoName, info), field(ticket.InfoName, info),
			field(ticket.SignatureName, signature), fileNamed("clip.mp4", clip(5000))), 401, "TICKET_INVALID"},
		"after the file": {nil, form(fileNamed("clip.mp4", clip(5000)), field(ticket.InfoName, info),
			field(ticket.SignatureName, signature)), 401, "TICKET_MISSING"},
		"in both places": {good, form(field(ticket.InfoName, info), fileNamed("clip.mp4", clip(5000))), 400, "BAD_REQUEST"},
		"a huge field":   {nil, form(field(ticket.InfoName, strings.Repeat("x", 70_000))), 413, "TOO_LARGE"},
		"a bad item":     {in.sign(t, badItem), body, 400, "INVALID_INPUT"},
	} {
		got := in.send(t, c.header, c.body).WantProblem(t, name, c.status, c.code)
		if challenge := got.Header.Get("WWW-Authenticate"); c.status == 401 && challenge != "Itemcast-Upload-Ticket" {
			t.Errorf("%s: the challenge is %q", name, challenge)
		}
	}
	wantNothingLeft(t, in.Pool)
}

// No ticket makes anything of a body that it has not admitted.
func TestUpload_ReadsNoBodyBeforeTheTicketHolds(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"max_size": 1_000_000})
	bad := in.sign(t, in.claims())
	bad.Set(ticket.SignatureName, strings.Repeat("0", 64))
	good := in.sign(t, in.claims())
	for name, c := range map[string]struct {
		header http.Header
		size   int64
		status int
	}{
		"a wrong ticket":      {bad, 100 << 20, http.StatusUnauthorized},
		"too large by header": {good, 100 << 20, http.StatusRequestEntityTooLarge},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(in.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"+
			"Expect: 100-continue\r\nContent-Length: %d\r\n", c.size)
		_ = c.header.Write(conn)
		fmt.Fprint(conn, "\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != c.status { // a 100 would come first
			t.Errorf("%s: got %v, %v", name, answer, err)
		}
	}
}

func TestUpload_TooLargeByItsBody(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"max_size": 100_000})
	small := in.claims()
	small.MaxSize = 10_000
	for name, c := range map[string]struct {
		claims ticket.Claims
		files  []part
		status int
	}{
		"the ticket's limit":       {small, []part{fileNamed("a.mp4", clip(10_000))}, http.StatusCreated},
		"over the ticket's limit":  {small, []part{fileNamed("a.mp4", clip(10_001))}, http.StatusRequestEntityTooLarge},
		"the profile's limit":      {in.claims(), []part{fileNamed("a.mp4", clip(100_000))}, http.StatusCreated},
		"over the profile's limit": {in.claims(), []part{fileNamed("a.mp4", clip(100_001))}, http.StatusRequestEntityTooLarge},
		"together over it": {in.claims(), []part{fileNamed("a.mp4", clip(60_000)), fileNamed("b.mp4", clip(60_000))},
			http.StatusRequestEntityTooLarge},
	} {
		for _, announced := range []bool{true, false} {
			c.claims.Nonce = rand.Text()
			var body io.Reader = bytes.NewReader(form(c.files...))
			if !announced {
				body = io.MultiReader(body) // is sent in chunks
			}
			got := send(t, in.Client, in.sign(t, c.claims), body)
			if got.Status != c.status || c.status != http.StatusCreated && got.Code(t) != "TOO_LARGE" {
				t.Errorf("%s, announced %v: got %d %s", name, announced, got.Status, got.Body)
			}
		}
	}
	if n := nodetest.CountItems(t, in.Pool); n != 4 {
		t.Errorf("there are %d items", n)
	}
	if n := count(t, in.Pool, "media_file WHERE state = 'published'"); n != 4 {
		t.Errorf("there are %d files", n)
	}
}

// A body that ends anywhere before its end makes nothing, whether its length was announced or not, and its ticket works
// afterwards.
func TestUpload_CutAtEveryTenth(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	whole := form(fileNamed("first.mp4", clip(300_000)), fileNamed("second.mp4", clip(300_000)))
	header := in.sign(t, in.claims())
	for tenth := range 10 {
		cut := whole[:len(whole)*tenth/10+1]
		in.send(t, header, cut).WantProblem(t, fmt.Sprint(tenth, " tenths"), http.StatusBadRequest, "BAD_REQUEST")

		conn, err := net.Dial("tcp", strings.TrimPrefix(in.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=%s\r\n"+
			"Content-Length: %d\r\n", boundary, len(whole))
		_ = header.Write(conn)
		fmt.Fprintf(conn, "\r\n%s", cut)
		_ = conn.(*net.TCPConn).CloseWrite()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%d tenths of what was announced: got %v, %v", tenth, answer, err)
		}
		_ = conn.Close()
	}
	wantNothingLeft(t, in.Pool)
	in.send(t, header, whole).WantStatus(t, http.StatusCreated)
}
