package web_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
)

// tab is a tab of Chromium. Nobody is signed in in it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	frames map[target.ID]context.Context // of other sites; to end one would close it
}

// watched collects what the page must not have: errors that nothing handles, and what its policy has forbidden.
const watched = `window.faults = [];
	addEventListener('securitypolicyviolation', (e) => faults.push(e.violatedDirective + ' ' + e.blockedURI));
	addEventListener('error', (e) => faults.push(e.message ?? String(e.target.src)));
	addEventListener('unhandledrejection', (e) => faults.push(String(e.reason)))`

func openTab(t *testing.T) *tab {
	t.Helper()
	return &tab{t, browsertest.Tab(t, watched), map[target.ID]context.Context{}}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browsertest.Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(url string) (status int64) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browsertest.Timeout)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Navigate(url))
	if err != nil {
		b.t.Fatalf("open %s: %v", url, err)
	}
	return response.Status
}

// evaluate waits for the value of an expression. It counts as a click, after which a page may make sounds.
func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browsertest.Timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise, gesture))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// played is an element after it has played to the end.
type played struct {
	Ended         bool
	Time, Length  float64
	Width, Height int
	Source        string
	Faults        []string
}

// play plays what the page shows to its end.
func (b *tab) play() played {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(`.controlled [aria-label=Play]`)))
	b.click(`.controlled .row [aria-label=Play]`)
	return evaluate[played](b, ended)
}

const ended = `new Promise((resolve, reject) => {
	const media = document.querySelector('video, audio')
	const result = () => resolve({Ended: media.ended, Time: media.currentTime, Length: media.duration,
		Width: media.videoWidth ?? 0, Height: media.videoHeight ?? 0, Source: media.currentSrc, Faults: faults})
	if (media.ended) result()
	media.addEventListener('ended', result)
	document.querySelector('.stage').addEventListener('failed', () => reject(new Error('it failed: ' + faults)))
	setTimeout(() => reject(new Error('it stopped at ' + media.currentTime + ' of ' + media.duration + ', ready '
		+ media.readyState + ', ' + (media.error?.message ?? '') + document.querySelector('.stage').className)), 30000)
})`

func gesture(p *runtime.EvaluateParams) { p.UserGesture = new(true) }

func (p played) want(t *testing.T, seconds float64, width, height int) {
	t.Helper()
	if !p.Ended || p.Time < seconds-0.2 || p.Time > seconds+0.2 || p.Width != width || p.Height != height ||
		!strings.HasPrefix(p.Source, "blob:") || len(p.Faults) > 0 {
		t.Errorf("got %+v, want %g s, %d × %d", p, seconds, width, height)
	}
}

func TestPlay_EveryKindOfFilePlaysToItsEnd(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	for name, c := range soak.Some(2, map[string]struct {
		make          func(*testing.T) string
		seconds       float64
		width, height int
	}{
		"H.264": {clip, 2, 320, 180},
		"rotated": {func(t *testing.T) string {
			return made(t, "rotated.mp4", "-i "+clip(t)+" -c copy -metadata:s:v:0 rotate=90")
		}, 2, 180, 320},
		"variable frame rate": {func(t *testing.T) string {
			return made(t, "vfr.mp4", picture+" "+sound+" -vf select=not(mod(n\\,7))+lt(n\\,20) -vsync vfr "+encoded)
		}, 2, 320, 180},
		"longer sound": {func(t *testing.T) string {
			return made(t, "unequal.mp4", "-f lavfi -i testsrc2=s=320x180:r=30:d=1 -f lavfi -i sine=d=3 "+encoded)
		}, 3, 320, 180},
		"sound only":            {func(t *testing.T) string { return made(t, "tone.mp3", sound) }, 2, 0, 0},
		"recorded by a browser": {recorded, 2, 320, 180},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := s.processed(t, c.make(t), "public")
			b := openTab(t)
			if status := b.open(s.URL + "/watch/" + item.id); status != http.StatusOK {
				t.Fatalf("the page has status %d", status)
			}
			got := b.play()
			if name == "recorded by a browser" {
				got.Time = min(max(got.Time, c.seconds-0.2), c.seconds+0.5) // a recorder is not exact
			}
			got.want(t, c.seconds, c.width, c.height)
		})
	}
}

// recorded returns what MediaRecorder makes of a canvas and a tone in 2 s.
func recorded(t *testing.T) string {
	t.Helper()
	b := openTab(t)
	b.do(chromedp.Navigate("about:blank"))
	encodedFile := evaluate[string](b, `new Promise((resolve) => {
		const canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 180})
		const paint = canvas.getContext('2d')
		let n = 0
		const timer = setInterval(() => { paint.fillStyle = 'hsl(' + n++ * 9 + ' 80% 50%)'; paint.fillRect(0, 0, 320, 180) }, 40)
		const audio = new AudioContext()
		const tone = audio.createOscillator()
		const out = audio.createMediaStreamDestination()
		tone.connect(out)
		tone.start()
		const stream = new MediaStream([...canvas.captureStream(25).getTracks(), ...out.stream.getTracks()])
		const recorder = new MediaRecorder(stream, {mimeType: 'video/webm'})
		const parts = []
		recorder.ondataavailable = (e) => parts.push(e.data)
		recorder.onstop = () => {
			clearInterval(timer)
			const reader = new FileReader()
			reader.onload = () => resolve(reader.result.split(',')[1])
			reader.readAsDataURL(new Blob(parts))
		}
		recorder.start(250)
		setTimeout(() => recorder.stop(), 2000)
	})`)
	content, err := base64.StdEncoding.DecodeString(encodedFile)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "recorded.webm")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPlay_SubtitlesAndKeys(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	item := s.processed(t, clip(t), "public")
	for language, text := range map[string]string{"de": "Guten Tag", "en": "Good day"} {
		s.addSubtitle(t, item.id, language, vtt(text))
	}
	b := openTab(t)
	b.open(s.URL + "/watch/" + item.id)
	b.do(chromedp.WaitVisible(chromedp.CSS(`.controlled [aria-label=Subtitles]`)))
	b.click(`.row [aria-label=Subtitles]`)
	if names := evaluate[[]string](b, `[...document.querySelectorAll('[role=menu]:not([hidden]) button')].map((e) => e.innerText.trim())`); strings.Join(names, " ") != "Off Deutsch English" &&
		strings.Join(names, " ") != "Off English Deutsch" {
		t.Errorf("the menu has %q", names)
	}
	evaluate[bool](b, `[...document.querySelectorAll('[role=menuitemradio]')].find((e) => e.innerText.includes('Deutsch')).click() ?? true`)
	b.do(chromedp.KeyEvent("5")) // while the poster is shown, no cue is
	nodetest.Eventually(t, "the cue is shown", func() bool {
		return evaluate[string](b, `[...document.querySelector('video').textTracks].filter((t) => t.mode === 'showing')
			.flatMap((t) => [...t.activeCues ?? []].map((c) => t.language + ' ' + c.text)).join()`) == "de Guten Tag"
	})

	const state = `(({paused, muted, currentTime, playbackRate, volume}) => [paused, muted, Math.round(currentTime * 10) / 10,
		playbackRate, Math.round(volume * 100), [...document.querySelector('video').textTracks].filter((t) => t.mode === 'showing').length]
		.join(' '))(document.querySelector('video'))`
	want := func(key, want string) {
		t.Helper()
		b.do(chromedp.KeyEvent(key))
		got := ""
		nodetest.Eventually(t, "after "+key+" the player is "+want, func() bool {
			got = evaluate[string](b, state)
			return got == want
		})
	}
	evaluate[bool](b, `new Promise((resolve) => {
		const video = document.querySelector('video')
		const check = () => video.readyState >= 3 ? resolve(true) : setTimeout(check, 50)
		check()
	})`)
	want("m", "true true 1 1 100 1")
	want("m", "true false 1 1 100 1")
	want("0", "true false 0 1 100 1")
	want("c", "true false 0 1 100 0")
	want(">", "true false 0 1.25 100 0")
	want("<", "true false 0 1 100 0")
	want("5", "true false 1 1 100 0")
	want("0", "true false 0 1 100 0")
	b.do(chromedp.Focus(chromedp.CSS(`.row [aria-label=Play]`)))
	want(kb.ArrowDown, "true false 0 1 90 0")
	want(kb.ArrowRight, "true false 2 1 90 0")
	want(kb.Home, "true false 0 1 90 0")
	b.do(chromedp.KeyEvent("k"))
	evaluate[played](b, ended)
	if seen := evaluate[bool](b, `new Promise((resolve) => {
		const line = document.querySelector('.seek')
		const box = line.getBoundingClientRect()
		const move = () => {
			line.dispatchEvent(new PointerEvent('pointermove', {clientX: box.left + box.width / 2, bubbles: true}))
			const shown = document.querySelector('.preview .picture')
			if (!shown.hidden && shown.style.backgroundImage.includes('sheet_001.jpg')) resolve(true)
			else setTimeout(move, 50)
		}
		move()
	})`); !seen {
		t.Error("the time line has no picture")
	}
}

func (s *studio) addSubtitle(t *testing.T, id, language string, content []byte) {
	t.Helper()
	body := fmt.Sprintf("--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nsubtitle\r\n"+
		"--x\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\n%s\r\n"+
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s.vtt\"\r\n\r\n%s\r\n--x--\r\n", language, language, content)
	s.Call(http.MethodPost, "/api/v1/items/"+id+"/assets", body, "Content-Type", "multipart/form-data; boundary=x").
		WantStatus(t, http.StatusCreated)
}

func TestPlay_APrivateItemPlaysWithALink(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	item := s.processed(t, clip(t), "private")
	link := s.Call(http.MethodPost, "/api/v1/items/"+item.id+"/media-links", "").WantStatus(t, http.StatusOK).
		Field(t, "player_url")
	b := openTab(t)
	if status := b.open(s.URL + "/watch/" + item.id); status != http.StatusNotFound {
		t.Errorf("without the link the page has status %d", status)
	}
	b.open(link)
	b.play().want(t, 2, 320, 180)
}

func TestPlay_APageComesAliveWhenItsItemIsReady(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	id := s.CreateItem(`{"name":"Soon","privacy":"public"}`)
	b := openTab(t)
	b.open(s.URL + "/watch/" + id)
	b.do(chromedp.WaitVisible(chromedp.CSS(`.is-empty`)))
	content, err := os.ReadFile(clip(t))
	if err != nil {
		t.Fatal(err)
	}
	body := "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nsource\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"clip.mp4\"\r\n\r\n" + string(content) + "\r\n--x--\r\n"
	s.Call(http.MethodPost, "/api/v1/items/"+id+"/assets", body, "Content-Type", "multipart/form-data; boundary=x").
		WantStatus(t, http.StatusCreated)
	s.Call(http.MethodPost, "/api/v1/items/"+id+"/workflow", `{"profile_id":"`+s.profile.String()+`"}`).
		WantStatus(t, http.StatusAccepted)
	s.await(t, id, "completed")
	b.do(chromedp.Query(chromedp.CSS(`.stage[data-hls]`)))
	b.play().want(t, 2, 320, 180)
}

// A site is another origin that shows the embed code of an item.
func TestPlay_FramesOfOtherSitesAreAllowedAndRefused(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	item := s.processed(t, clip(t), "public")
	code := item.item["embed_code"].(string)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!DOCTYPE html><title>Blog</title><p>Look:</p>", code)
	}))
	t.Cleanup(site.Close)
	origin := strings.Replace(site.URL, "127.0.0.1", "localhost", 1)

	b := openTab(t)
	b.open(origin)
	if got := b.frame(t, `document.querySelector('.controlled') ? 'player' : ''`); got != "player" {
		t.Errorf("the frame has %q", got)
	}
	const press = `document.querySelector('.begin').click()`
	b.frame(t, press+`; 'pressed'`)
	if got := b.frame(t, `document.querySelector('video').ended ? 'ended' : ''`); got != "ended" {
		t.Errorf("the frame %q", got)
	}

	s.Call(http.MethodPatch, "/api/v1/account", `{"frame_ancestors":["https://other.example"]}`).WantStatus(t, http.StatusOK)
	refused := openTab(t)
	refused.open(origin)
	if got := refused.frame(t, `location.href`); !strings.HasPrefix(got, "chrome-error://") {
		t.Errorf("the frame of another site shows %s", got)
	}
	s.Call(http.MethodPatch, "/api/v1/account", `{"frame_ancestors":["`+origin+`"]}`).WantStatus(t, http.StatusOK)
	refused.open(origin)
	if got := refused.frame(t, `document.querySelector('.controlled') ? 'player' : ''`); got != "player" {
		t.Errorf("the frame of a listed site has %q", got)
	}
}

func TestPlay_PagesWorkForEverybody(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	axe, err := os.ReadFile("../../examples/frontend/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	const check = `;axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })
		.then(({ violations }) => violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))`
	video := s.processed(t, clip(t), "public")
	s.addSubtitle(t, video.id, "de", vtt("Guten Tag"))
	still := s.processed(t, made(t, "still.png", picture+" -frames:v 1"), "public")
	tone := s.processed(t, made(t, "tone.mp3", sound), "public")
	for name, path := range map[string]string{"video": "/watch/" + video.id, "video frame": "/embed/" + video.id,
		"image": "/watch/" + still.id, "image frame": "/embed/" + still.id, "sound": "/watch/" + tone.id,
		"sound frame": "/embed/" + tone.id, "empty": "/watch/" + s.CreateItem(`{"name":"x","privacy":"public"}`), "gone": "/watch/x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.open(s.URL + path)
			for _, width := range []int64{1280, 320} {
				b.do(chromedp.EmulateViewport(width, 640))
				if got := evaluate[int64](b, `document.documentElement.scrollWidth`); got > width {
					t.Errorf("at %d pixels the page is %d wide", width, got)
				}
				if violations := evaluate[[]string](b, string(axe)+check); len(violations) > 0 {
					t.Errorf("at %d pixels it is hard to use for some people: %q", width, violations)
				}
			}
			if faults := evaluate[[]string](b, `faults`); len(faults) > 0 {
				t.Errorf("faults: %q", faults)
			}
		})
	}
}

// frame waits until an expression has a value in the page's frame, and returns that.
func (b *tab) frame(t *testing.T, expression string) (value string) {
	t.Helper()
	nodetest.Eventually(t, "the frame has "+expression, func() bool {
		value = ""
		all, err := chromedp.Targets(b.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range all {
			if found.Type != "iframe" || found.BrowserContextID != chromedp.FromContext(b.ctx).BrowserContextID {
				continue
			}
			if b.frames[found.TargetID] == nil {
				ctx, end := chromedp.NewContext(b.ctx, chromedp.WithTargetID(found.TargetID))
				t.Cleanup(end)
				b.frames[found.TargetID] = ctx
			}
			got, err := chromedp.Run(b.frames[found.TargetID], chromedp.Evaluate[string](expression, gesture))
			if err == nil && got != "" {
				value = got
			}
		}
		return value != ""
	})
	return value
}
