package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// sample is an item of the pictures.
type sample struct{ name, description, tags, privacy string }

var samples = []sample{
	{"Harbour at dawn", "Boats leave before the sun does.", `["city","4k"]`, "public"},
	{"Interview with a lighthouse keeper", "Forty years on a rock, told in twelve minutes.", `["interview"]`, "public"},
	{"Glass: how it is made", "From sand to window, without a word.", `["science","silent"]`, "unlisted"},
	{"The last steam ferry", "A crossing that no timetable has any more.", `["city","history"]`, "public"},
	{"Night train", "Eleven hours, one window.", `["travel"]`, "private"},
	{"Bees in winter", "What a hive does while nothing blooms.", `["science","nature"]`, "public"},
	{"Letters from the north", "Read by those who got them.", `["history","interview"]`, "private"},
}

// server is a server whose pages are shown, with a user who may do everything.
type server struct{ base, email, password string }

// pagesOf takes the pictures of the pages, and fills the server with what they show: items, a workflow, and a hook to a
// receiver of this program. Run it against a new server, which allows hooks on loopback, as make run does.
func pagesOf(ctx context.Context, base, email, password string) error {
	s := server{base, email, password}
	receiver := httptest.NewServer(http.HandlerFunc(s.receive))
	defer receiver.Close()
	item, err := s.fill(receiver.URL)
	if err != nil {
		return err
	}
	ready := chromedp.Sleep(2 * time.Second) // pictures of items are loaded, deliveries have arrived
	return errors.Join(
		take(ctx, "items", "light", chromedp.Navigate(base+"/items"), chromedp.WaitVisible(`#rows`), ready),
		take(ctx, "item", "light", chromedp.Navigate(base+"/items/"+item), chromedp.WaitVisible(`#fields`), ready),
		take(ctx, "api", "dark", chromedp.Navigate(base+"/api"), chromedp.WaitVisible(`#hooks`), ready),
		take(ctx, "workflows", "light", chromedp.Navigate(base+"/workflows"), chromedp.WaitVisible(`main`), ready),
	)
}

// receive answers as a server that is slow now and then, and once has no time.
func (s server) receive(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	time.Sleep(time.Duration(len(body)%40) * time.Millisecond)
	if bytes.Contains(body, []byte("Night train")) {
		http.Error(w, "busy", http.StatusServiceUnavailable)
	}
}

// fill makes what the pictures show. It returns the id of the item that one of them is about.
func (s server) fill(receiver string) (item string, err error) {
	profile, err := s.post("/workflow-profiles", `{"name":"Newsroom","actions":[
		{"key":"edit","kind":"edit","name":"Describe"},{"key":"approve","kind":"approve","name":"Approve"},
		{"key":"publish","kind":"publish","name":"Publish"}],
		"uploads":{"enabled":true,"content_types":["video/*"],"max_size":2000000000}}`)
	if err != nil {
		return "", err
	}
	settings := fmt.Sprintf(`{"url":%q,"description":"Search index","events":["item.created","item.updated"]}`, receiver)
	if _, err := s.post("/hooks", settings); err != nil {
		return "", err
	}
	token := `{"name":"Website","permissions":["items.view"],"filter":{"tags":["city"]}}`
	if _, err := s.post("/tokens", token); err != nil {
		return "", err
	}
	for n, one := range samples {
		input := fmt.Sprintf(`{"name":%q,"description":%q,"tags":%s,"privacy":%q,"duration":%d,"language":"en"`, one.name,
			one.description, one.tags, one.privacy, 90+n*211)
		if n < 3 {
			input += `,"workflow_profile_id":"` + profile + `"`
		}
		id, err := s.post("/items", input+"}")
		if err != nil {
			return "", err
		}
		if err := s.picture(id, n); err != nil {
			return "", err
		}
		if n == 1 {
			item = id
		}
	}
	return item, nil
}

// post creates something, and returns its id.
func (s server) post(path, body string) (id string, err error) {
	return s.send(path, "application/json", strings.NewReader(body))
}

func (s server) send(path, contentType string, body io.Reader) (id string, err error) {
	request, err := http.NewRequest(http.MethodPost, s.base+"/api/v1"+path, body)
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(s.email, s.password)
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("POST %s: %s %s", path, response.Status, answer)
	}
	var made struct{ ID string }
	err = json.Unmarshal(answer, &made)
	return made.ID, err
}

// picture uploads the poster of an item: a sky, a sun and hills, in colours of their own.
func (s server) picture(id string, n int) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("poster", "true"); err != nil {
		return err
	}
	part, err := form.CreateFormFile("file", "poster.jpg")
	if err != nil {
		return err
	}
	if err := errors.Join(jpeg.Encode(part, landscape(n), nil), form.Close()); err != nil {
		return err
	}
	_, err = s.send("/items/"+id+"/snapshots", form.FormDataContentType(), &body)
	return err
}

func landscape(n int) image.Image {
	const width, height = 640, 360
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	hues := [][3]uint8{{244, 162, 97}, {42, 157, 143}, {69, 123, 157}, {231, 111, 81}, {38, 70, 83}, {233, 196, 106},
		{108, 91, 123}}
	hue := hues[n%len(hues)]
	for y := range height {
		for x := range width {
			shade := 255 - y*120/height
			c := color.RGBA{mix(hue[0], shade), mix(hue[1], shade), mix(hue[2], shade), 255}
			dx, dy := x-(120+n*70), y-140
			if dx*dx+dy*dy < 60*60 {
				c = color.RGBA{255, 240, 200, 255}
			}
			for hill := range 3 {
				top := 200 + hill*50 + (x-(hill+1)*170-n*20)*(x-(hill+1)*170-n*20)/(1500+hill*700)
				if y > top {
					c = color.RGBA{mix(hue[0], 150-hill*40), mix(hue[1], 150-hill*40), mix(hue[2], 150-hill*40), 255}
				}
			}
			picture.Set(x, y, c)
		}
	}
	return picture
}

func mix(of uint8, shade int) uint8 { return uint8(int(of) * max(shade, 0) / 255) }
