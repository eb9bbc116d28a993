// Command pictures takes the pictures of docs/. Those of the pages are of a new server, which it fills:
//
//	go run ./scripts/pictures http://127.0.0.1:8080 EMAIL PASSWORD
//
// With the address of examples/frontend it takes the others: from a running server that has items with the tag western,
// and from that page with a token that shows these items. It adds a tag to two of them.
//
//	go run ./scripts/pictures http://127.0.0.1:8080 EMAIL PASSWORD http://localhost:5173
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	timeout = 2 * time.Minute
	flash   = 3 * time.Second // how long the page marks what has changed
)

type step = chromedp.Action[chromedp.Void]

func main() {
	if len(os.Args) != 4 && len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: go run ./scripts/pictures URL EMAIL PASSWORD [PAGE]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], strings.Join(os.Args[4:], "")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(base, email, password, page string) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	defer end()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which must not end with the timeout's context
		return fmt.Errorf("start a browser: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	if err := signIn(ctx, base, email, password); err != nil {
		return err
	}
	if page == "" {
		return pagesOf(ctx, base, email, password)
	}
	const firstItem = `pre a[href*="/api/v1/items/"]`
	return errors.Join(
		take(ctx, "browse-list", "light",
			chromedp.Navigate(base+"/api/v1/items?tags=western&limit=3"),
			chromedp.WaitVisible(firstItem)),
		take(ctx, "browse-item", "dark",
			chromedp.Click(firstItem)),
		take(ctx, "playground", "light",
			chromedp.Navigate(base+"/graphql"),
			chromedp.WaitVisible(`.graphiql-execute-button`),
			chromedp.Click(`.graphiql-execute-button`),
			chromedp.WaitVisible(`.result-window [class^=mtk]`)),
		take(ctx, "frontend", "light",
			chromedp.Navigate(page),
			chromedp.WaitVisible(`.connection[data-is=live]`),
			do(func() error { return addTags(base, email, password) }),
			chromedp.WaitVisible(`aside li:nth-child(2)`),
			chromedp.Sleep(flash)),
	)
}

func signIn(ctx context.Context, base, email, password string) error {
	return chromedp.Do(ctx,
		chromedp.EmulateViewport(1280, 960),
		chromedp.Navigate(base+"/login"),
		chromedp.SendKeys(`input[name=email]`, email),
		chromedp.SendKeys(`input[name=password]`, password),
		chromedp.Submit(`input[name=password]`),
		chromedp.WaitVisible(`form[action="/logout"]`),
	)
}

// take takes a picture in a colour scheme, after a step that loads a page and further steps.
func take(ctx context.Context, name, scheme string, load step, steps ...step) error {
	feature := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{feature}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		return err
	}
	if _, err := chromedp.RunResponse(ctx, load); err != nil {
		return fmt.Errorf("picture %s: %w", name, err)
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		return fmt.Errorf("picture %s: %w", name, err)
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return fmt.Errorf("picture %s: %w", name, err)
	}
	if picture, err = small(picture); err != nil {
		return fmt.Errorf("picture %s: %w", name, err)
	}
	return os.WriteFile("docs/"+name+".png", picture, 0o600)
}

// do is a step that is a function.
func do(run func() error) step {
	return func(context.Context, *chromedp.Target) (chromedp.Void, error) { return chromedp.Void{}, run() }
}

// addTags changes two items.
func addTags(base, email, password string) error {
	var list struct {
		Results []struct {
			ID   string
			Tags []string
		}
	}
	if err := call(http.MethodGet, base+"/api/v1/items?tags=western&limit=2", email, password, nil, &list); err != nil {
		return err
	}
	for _, item := range list.Results {
		body := map[string]any{"tags": append(item.Tags, "restored")}
		if err := call(http.MethodPatch, base+"/api/v1/items/"+item.ID, email, password, body, &struct{}{}); err != nil {
			return err
		}
	}
	return nil
}

// call sends a request with a JSON body, and decodes the answer.
func call(method, url, email, password string, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	request.SetBasicAuth(email, password)
	if body == nil {
		request.Body = http.NoBody
	} else {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: status %d", method, url, response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
