package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// process is the action that makes an item playable.
const process = `{"key":"process","kind":"process","name":"Process"}`

// makeClip makes a video of 1080p with sound by ffmpeg: moving patterns, at about the rate of a phone's camera.
func makeClip(ctx context.Context, dir string, length time.Duration) (path string, err error) {
	path = filepath.Join(dir, "clip.mp4")
	seconds := fmt.Sprintf("d=%.3f", length.Seconds())
	_, err = ffmpeg(ctx, dir, "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:"+seconds,
		"-f", "lavfi", "-i", "anoisesrc=c=pink:a=0.1:"+seconds,
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "12M", "-c:a", "aac", path)
	return path, err
}

// ffmpeg runs ffmpeg in a folder, and returns the CPU time that it has used.
func ffmpeg(ctx context.Context, dir string, args ...string) (cpu, error) {
	args = append([]string{"-hide_banner", "-nostdin", "-v", "error", "-y"}, args...)
	command := exec.CommandContext(ctx, "ffmpeg", args...)
	command.Dir = dir
	if errors.Is(command.Err, exec.ErrNotFound) {
		return cpu{}, errors.New("ffmpeg is not installed: run scripts/setup-bench")
	}
	if words, err := command.CombinedOutput(); err != nil {
		return cpu{}, fmt.Errorf("ffmpeg: %w: %.500s", err, words)
	}
	return cpu{server: command.ProcessState.UserTime() + command.ProcessState.SystemTime()}, nil
}

// clipLength is the length of the video whose processing is measured.
func (c Config) clipLength() time.Duration { return cmp.Or(c.Clip, time.Minute) }

// sendClip uploads a clip. It returns the item's id and the time at which its last byte was sent.
func (in *inbox) sendClip(ctx context.Context, path string) (id string, sent time.Time, err error) {
	header, err := in.ticket()
	if err != nil {
		return "", sent, err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", sent, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", sent, err
	}
	answer, err := sendForm(ctx, "http://"+in.addr+"/api/v1/uploads", header, file, info.Size(),
		func() { sent = time.Now() })
	return between(answer, `"results":[{"id":"`, `"`), sent, err
}

// made is what a bench reads of an item's document.
type made struct {
	Assets   []struct{ Kind, URL string }
	Workflow struct{ Status string }
}

const processPoll = 20 * time.Millisecond

// awaitMade polls an item until its document fulfils a condition. A failed workflow is an error.
func (b *build) awaitMade(ctx context.Context, id string, holds func(made) bool) (found made, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		document, err := b.api(ctx, http.MethodGet, "/api/v1/items/"+id, "")
		if err != nil {
			return found, fmt.Errorf("wait for the item: %w", err)
		}
		if err := json.Unmarshal(document, &found); err != nil {
			return found, err
		}
		switch {
		case holds(found):
			return found, nil
		case found.Workflow.Status == "failed":
			return found, fmt.Errorf("the processing failed: %.1000s", document)
		}
		if err := sleep(ctx, processPoll); err != nil {
			return found, err
		}
	}
}

func isCompleted(m made) bool { return m.Workflow.Status == "completed" }

func isPlayable(m made) bool { return m.playlist() != "" }

// playlist is the URL of the master playlist; "": none yet.
func (m made) playlist() string {
	for _, asset := range m.Assets {
		if asset.Kind == "playlist" {
			return asset.URL
		}
	}
	return ""
}

// segments returns the URLs of the files of all renditions in a master playlist, in their order.
func segments(ctx context.Context, master string) (all []string, err error) {
	renditions, err := linesOf(ctx, master)
	for _, rendition := range renditions {
		found, err := linesOf(ctx, rendition)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("the playlist %s has no segments", master)
	}
	return all, err
}

// linesOf returns the URLs of a playlist's lines that are no tags.
func linesOf(ctx context.Context, playlist string) (urls []string, err error) {
	base, err := url.Parse(playlist)
	if err != nil {
		return nil, err
	}
	text, err := download(ctx, playlist)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at, err := base.Parse(line)
		if err != nil {
			return nil, err
		}
		urls = append(urls, at.String())
	}
	return urls, nil
}

// download fetches a public file.
func download(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return fetch(request)
}

// saveTo downloads files into a folder, at their paths.
func saveTo(ctx context.Context, folder string, urls []string) error {
	for _, from := range urls {
		content, err := download(ctx, from)
		if err != nil {
			return err
		}
		at, err := url.Parse(from)
		if err != nil {
			return err
		}
		path := filepath.Join(folder, filepath.FromSlash(at.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
