package oneshot_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"itemcast/internal/node/nodetest"
)

const accountPath = "/api/v1/account"

func setQuotas(t *testing.T, c *nodetest.Client, quotas string) {
	t.Helper()
	c.Call(http.MethodPatch, accountPath, `{"quotas":`+quotas+`}`).WantStatus(t, http.StatusOK)
}

func usage(t *testing.T, c *nodetest.Client) map[string]any {
	t.Helper()
	used, _ := c.Call(http.MethodGet, accountPath, "").WantStatus(t, http.StatusOK).Object(t)["usage"].(map[string]any)
	return used
}

// attach adds a file to an item as a signed-in user.
func attach(t *testing.T, c *nodetest.Client, path string, content []byte, fields ...part) nodetest.Response {
	t.Helper()
	body := form(append(fields, fileNamed("file.bin", content))...)
	return c.Call(http.MethodPost, path, string(body), "Content-Type", "multipart/form-data; boundary="+boundary)
}

func TestQuota_AHundredUploadsAtOnceNeverTakeMoreThanThereIs(t *testing.T) {
	t.Parallel()
	storage := "file://" + t.TempDir()
	in := newInbox(t, nodetest.StartStoring(t, storage), nil)
	second := nodetest.StartStoringOn(t, in.Pool, storage)
	const room, size = 10, 40_000
	item := "/api/v1/items/" + in.CreateItem(`{"name":"held"}`) + "/assets"
	body := form(fileNamed("clip.mp4", clip(size)))
	quota := room * (len(body) + 200) // a form of the other kind is a little longer
	setQuotas(t, in.Client, fmt.Sprintf(`{"bytes":%d}`, quota))
	var all sync.WaitGroup
	statuses := make(chan int, 100)
	for n := range 100 {
		header := in.sign(t, in.claims())
		all.Go(func() {
			client := []*nodetest.Client{in.Client, second.Client}[n%2]
			if n%4 == 3 { // of those that add a source to one item, the last one stays
				statuses <- attach(t, client, item, clip(size), field("kind", "rendition")).Status
				return
			}
			statuses <- send(t, client, header, bytes.NewReader(body)).Status
		})
	}
	all.Wait()
	close(statuses)
	got := map[int]int{}
	for status := range statuses {
		got[status]++
	}
	if got[http.StatusCreated] != room || got[http.StatusRequestEntityTooLarge] != 100-room {
		t.Errorf("got the statuses %v, want %d uploads", got, room)
	}
	used := usage(t, in.Client)
	if used["bytes"] != float64(room*size) || used["reserved_bytes"] != 0.0 || used["uploads"] != 0.0 {
		t.Errorf("the account uses %v", used)
	}
}

func TestQuota_EveryWayInCountsAndSaysWhatIsFree(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	file := clip(300_000)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(file)))
		_, _ = w.Write(file)
	}))
	t.Cleanup(web.Close)
	setQuotas(t, in.Client, `{"bytes":1000000}`)
	made := in.send(t, in.sign(t, in.claims()), form(fileNamed("clip.mp4", file)))
	first := made.WantStatus(t, http.StatusCreated).Results(t)[0]["id"].(string)
	id := in.CreateItem(`{"name":"held"}`)
	assets, snapshots := "/api/v1/items/"+id+"/assets", "/api/v1/items/"+id+"/snapshots"
	attach(t, in.Client, assets, file).WantStatus(t, http.StatusCreated)
	in.Call(http.MethodPost, assets, `{"url":"`+web.URL+`/a.mp4","kind":"rendition"}`).WantStatus(t, http.StatusCreated)
	if used := usage(t, in.Client); used["bytes"] != 900_000.0 {
		t.Errorf("the account uses %v", used)
	}

	jpeg := append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), make([]byte, 300_000)...)
	full := map[string]nodetest.Response{
		"a ticket":  in.send(t, in.sign(t, in.claims()), form(fileNamed("clip.mp4", file))),
		"a source":  attach(t, in.Client, assets, file),
		"a URL":     in.Call(http.MethodPost, assets, `{"url":"`+web.URL+`/a.mp4"}`),
		"a picture": attach(t, in.Client, snapshots, jpeg),
	}
	for name, got := range full {
		got.WantProblem(t, name, http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
		if detail := got.Detail(t); !strings.Contains(detail, "of the 1000000 that the account may hold, 100000 are free") ||
			!strings.Contains(detail, "raise quotas.bytes of the account") {
			t.Errorf("%s: %s", name, detail)
		}
	}
	attach(t, in.Client, assets, []byte("1\n00:00:01,000 --> 00:00:02,000\nHello\n"), field("kind", "subtitle"),
		field("language", "en")).WantStatus(t, http.StatusCreated)
	in.Call(http.MethodDelete, "/api/v1/items/"+first, "").WantStatus(t, http.StatusNoContent)
	attach(t, in.Client, snapshots, jpeg).WantStatus(t, http.StatusCreated) // what is deleted counts no more
}

func TestQuota_OfAProfileFollowsItsItems(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"quota_bytes": 500_000})
	file := clip(300_000)
	id := in.CreateItem(`{"name":"held","workflow_profile_id":"` + in.profile.String() + `"}`)
	attach(t, in.Client, "/api/v1/items/"+id+"/assets", file).WantStatus(t, http.StatusCreated)
	refused := in.send(t, in.sign(t, in.claims()), form(fileNamed("clip.mp4", file)))
	refused.WantProblem(t, "the profile is full", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	if detail := refused.Detail(t); !strings.Contains(detail, "of the 500000 that the workflow profile may hold, 200000 are free") {
		t.Error(detail)
	}
	in.PatchItem(id, `{"workflow_profile_id":"`+in.CreateProfile("Other")+`"}`).WantStatus(t, http.StatusOK)
	in.send(t, in.sign(t, in.claims()), form(fileNamed("clip.mp4", file))).WantStatus(t, http.StatusCreated)
	in.PatchItem(id, `{"workflow_profile_id":"`+in.profile.String()+`"}`).WantStatus(t, http.StatusOK)
	attach(t, in.Client, "/api/v1/items/"+id+"/assets", file).
		WantProblem(t, "a file of its item", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
}

func TestQuota_AVideoCountsAMinuteUntilItIsMeasured(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	setQuotas(t, in.Client, `{"minutes":2}`)
	body := form(fileNamed("clip.mp4", clip(1000)))
	in.send(t, in.sign(t, in.claims()), body).WantStatus(t, http.StatusCreated)
	assets := "/api/v1/items/" + in.CreateItem(`{"name":"held"}`) + "/assets"
	attach(t, in.Client, assets, clip(1000)).WantStatus(t, http.StatusCreated)
	if used := usage(t, in.Client); used["minutes"] != 2.0 {
		t.Errorf("the account uses %v", used)
	}
	refused := in.send(t, in.sign(t, in.claims()), body)
	refused.WantProblem(t, "no minute is free", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	if detail := refused.Detail(t); !strings.Contains(detail, "All 2 minutes") || !strings.Contains(detail, "quotas.minutes") {
		t.Error(detail)
	}
	attach(t, in.Client, assets, clip(1000)).
		WantProblem(t, "another source", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	attach(t, in.Client, assets, clip(1000), field("kind", "rendition")).WantStatus(t, http.StatusCreated)
	setQuotas(t, in.Client, `{"minutes":null}`)
	in.send(t, in.sign(t, in.claims()), body).WantStatus(t, http.StatusCreated)
}

func TestQuota_AnUploadUnderWayIsShownAndItsEndFreesItsReservation(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	setQuotas(t, in.Client, `{"bytes":3000000,"minutes":1}`)
	body := form(fileNamed("clip.mp4", clip(2_000_000)))
	b := begin(t, in.Client, in.sign(t, in.claims()), body)
	if used := usage(t, in.Client); used["reserved_bytes"] != float64(len(body)) || used["uploads"] != 1.0 ||
		used["bytes"] != 0.0 || used["minutes"] != 0.0 {
		t.Errorf("the account uses %v", used)
	}
	refused := in.send(t, in.sign(t, in.claims()), body)
	refused.WantProblem(t, "beside it", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	if detail := refused.Detail(t); !strings.Contains(detail, fmt.Sprintf("are free; uploads under way have reserved %d. Stop "+
		"one of those uploads", len(body))) {
		t.Error(detail)
	}
	setQuotas(t, in.Client, `{"bytes":null,"minutes":1}`)
	refused = in.send(t, in.sign(t, in.claims()), body)
	refused.WantProblem(t, "its minute", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	if detail := refused.Detail(t); !strings.Contains(detail, "are taken, 1 by uploads under way. Stop one") {
		t.Error(detail)
	}
	_ = b.pipe.CloseWithError(http.ErrBodyNotAllowed) // its client is gone
	nodetest.Eventually(t, "the reservation is free", func() bool { return usage(t, in.Client)["uploads"] == 0.0 })

	in.send(t, in.sign(t, in.claims()), form(fileNamed("notes", nil))).WantStatus(t, http.StatusBadRequest)
	in.send(t, in.sign(t, in.claims()), body).WantStatus(t, http.StatusCreated)
	if used := usage(t, in.Client); used["reserved_bytes"] != 0.0 || used["bytes"] != 2_000_000.0 || used["minutes"] != 1.0 {
		t.Errorf("the account uses %v", used)
	}
}

// A file that a signed-in user sends is an upload under way, which uploads.manage sees and stops.
func TestQuota_AFileOfAnItemIsAnUploadUnderWay(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	id := in.CreateItem(`{"name":"held"}`)
	b := beginAt(t, in.Client, "/api/v1/items/"+id+"/assets", form(fileNamed("clip.mp4", clip(2<<20))))
	shown := underWay(t, in.Client)[0]
	if shown["user_id"] != in.UserID(nodetest.AdminEmail) || shown["nonce"] != nil || shown["profile_id"] != nil ||
		shown["way"] != "form" {
		t.Errorf("shows %v", shown)
	}
	in.Call(http.MethodDelete, "/api/v1/uploads/"+shown["id"].(string), "").WantStatus(t, http.StatusNoContent)
	got := nodetest.Next(t, b.answered)
	got.WantProblem(t, "a stopped upload", http.StatusConflict, "CONFLICT")
	_ = b.pipe.Close()
	nodetest.Eventually(t, "no file is left", func() bool { return count(t, in.Pool, "media_file") == 0 })
}
