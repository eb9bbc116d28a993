// Command go signs a ticket and uploads a file with it, in Go's standard library. In an application, your server signs
// the ticket, and a browser or a device uploads with it.
//
//	go run ./examples/upload-ticket/go http://127.0.0.1:8080 PROFILE icu_… FILE
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errUsage = errors.New(
	"usage: go run ./examples/upload-ticket/go URL PROFILE icu_… FILE (the profile's upload secret)")

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 4 || !strings.HasPrefix(args[2], "icu_") {
		return errUsage
	}
	server, profile, secret, path := strings.TrimRight(args[0], "/"), args[1], args[2], args[3]
	if u, err := url.Parse(server); err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
		return fmt.Errorf("%s is not a URL such as http://127.0.0.1:8080", args[0])
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read the file: %w", err)
	}
	defer file.Close()
	info, signature := sign(map[string]any{
		"profile": profile,
		"expires": time.Now().Add(10 * time.Minute).Unix(), // at most seven days ahead
		"nonce":   rand.Text(),                             // one ticket makes one upload
	}, secret)
	return upload(ctx, server, info, signature, file, out)
}

// sign returns the two texts of a ticket: its JSON as base64url without padding, and the HMAC-SHA256 of that text in
// lower-case hexadecimal digits. The key is the whole text of the secret.
func sign(claims map[string]any, secret string) (info, signature string) {
	text, _ := json.Marshal(claims) // cannot fail for these types
	info = base64.RawURLEncoding.EncodeToString(text)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(info))
	return info, hex.EncodeToString(mac.Sum(nil))
}

// upload sends the file as it is read, and prints the answer.
func upload(ctx context.Context, server, info, signature string, file *os.File, out io.Writer) error {
	reader, writer := io.Pipe()
	defer func() { _ = reader.Close() }() // ends the goroutine
	form := multipart.NewWriter(writer)
	go func() {
		part, err := form.CreateFormFile("file", filepath.Base(file.Name()))
		if err == nil {
			_, err = io.Copy(part, file)
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err)
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/api/v1/uploads", reader)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Itemcast-Upload-Info", info)
	request.Header.Set("Itemcast-Upload-Signature", signature)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", server, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the answer was cut off: %w", err)
	}
	if response.StatusCode != http.StatusCreated {
		var problem struct{ Detail string }
		_ = json.Unmarshal(answer, &problem) // anything else has no detail
		return fmt.Errorf("%s answers %d: %s", server, response.StatusCode,
			cmp.Or(problem.Detail, "is this the URL of an Itemcast server?"))
	}
	_, err = fmt.Fprintf(out, "%s\n", bytes.TrimSpace(answer))
	return err
}
