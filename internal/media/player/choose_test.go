package player

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/item"
)

func asset(kind item.AssetKind, contentType, name string) item.Asset {
	return item.Asset{ID: uuid.New(), Kind: kind, ContentType: contentType, URL: "https://media.example/" + name}
}

func TestChoose_PlaysWhatProcessingHasMadeAndElseTheSource(t *testing.T) {
	t.Parallel()
	source := asset("source", "video/mp4", "phone.mp4")
	made := []item.Asset{source, asset("playlist", "application/vnd.apple.mpegurl", "itemcast-master-1.m3u8"),
		asset("rendition", "video/mp4", "itemcast-video.mp4"), asset("storyboard", "text/vtt", "itemcast-storyboard.vtt"),
		asset("subtitle", "text/vtt; charset=utf-8", "de.vtt"), asset("subtitle", "application/x-subrip", "fr.srt")}
	status := func(s string) *item.ItemWorkflow { return &item.ItemWorkflow{Status: s} }
	for name, c := range map[string]struct {
		assets   []item.Asset
		kind     item.ItemType
		workflow *item.ItemWorkflow
		state    State
		shown    item.ItemType
		urls     []string
		grows    bool
	}{
		"processed": {made, "video", status("completed"), Ready, "video", []string{"itemcast-master-1.m3u8",
			"itemcast-storyboard.vtt", "itemcast-video.mp4", "de.vtt"}, false},
		"growing":           {made[:2], "video", status("running"), Ready, "video", []string{"itemcast-master-1.m3u8"}, true},
		"never processed":   {made[:1], "video", nil, Ready, "video", []string{"phone.mp4"}, false},
		"cancelled":         {made[:1], "video", status("cancelled"), Ready, "video", []string{"phone.mp4"}, false},
		"about to begin":    {made[:1], "video", status("pending"), Ready, "video", []string{"phone.mp4"}, true},
		"failed":            {made[:1], "video", status("failed"), Failed, "video", nil, true},
		"failed later":      {made, "video", status("failed"), Ready, "video", []string{"itemcast-master-1.m3u8", "itemcast-storyboard.vtt", "itemcast-video.mp4", "de.vtt"}, false},
		"unknown source":    {[]item.Asset{asset("source", "video/x-matroska", "a.mkv")}, "video", status("running"), Processing, "video", nil, true},
		"unplayable source": {[]item.Asset{asset("source", "video/x-matroska", "a.mkv")}, "video", nil, Empty, "video", nil, true},
		"nothing":           {nil, "video", nil, Empty, "video", nil, true},
		"nothing yet":       {nil, "video", status("running"), Empty, "video", nil, true},
		"DASH":              {[]item.Asset{asset("playlist", "application/dash+xml", "a.mpd")}, "video", nil, Empty, "video", nil, true},
		"external HLS":      {[]item.Asset{asset("rendition", "application/x-mpegURL", "a.m3u8")}, "live", nil, Ready, "live", []string{"a.m3u8"}, false},
		"a sound":           {[]item.Asset{asset("source", "audio/mpeg", "a.mp3")}, "video", nil, Ready, "audio", []string{"a.mp3"}, false},
		"a picture":         {[]item.Asset{asset("source", "image/png", "a.png")}, "video", nil, Ready, "image", []string{"a.png"}, false},
		"a drawing":         {[]item.Asset{asset("source", "image/svg+xml", "a.svg")}, "image", nil, Empty, "image", nil, true},
		"a document": {[]item.Asset{asset("source", "application/pdf", "a.pdf"), asset("rendition", "image/jpeg", "a.jpg")},
			"document", status("completed"), Ready, "document", []string{"a.jpg", "a.pdf"}, false},
		"a document alone": {[]item.Asset{asset("source", "application/pdf", "a.pdf")}, "document", nil, Ready, "document",
			[]string{"a.pdf"}, false},
		"two sources": {[]item.Asset{asset("source", "video/mp4", "old.mp4"), asset("source", "video/mp4", "new.mp4")},
			"video", nil, Ready, "video", []string{"new.mp4", "old.mp4"}, false},
	} {
		got := choose(&item.Item{Type: c.kind, Assets: c.assets, Workflow: c.workflow})
		var urls []string
		for _, f := range got.files() {
			urls = append(urls, f.Name())
		}
		if got.State != c.state || got.Kind != c.shown || !slices.Equal(urls, c.urls) || got.Grows != c.grows {
			t.Errorf("%s: %s %s plays %q, grows %t", name, got.State, got.Kind, urls, got.Grows)
		}
	}
}

func TestChoose_ThePosterIsTheItemsSnapshot(t *testing.T) {
	t.Parallel()
	one, two := item.Snapshot{ID: uuid.New(), URL: "https://m.example/1.jpg"}, item.Snapshot{ID: uuid.New(), URL: "https://m.example/2.jpg"}
	for want, chosen := range map[string]*uuid.UUID{"1.jpg": nil, "2.jpg": &two.ID} {
		if got := choose(&item.Item{Snapshots: []item.Snapshot{one, two}, SnapshotID: chosen}).Poster.Name(); got != want {
			t.Errorf("the poster is %s, want %s", got, want)
		}
	}
}

func TestVersion_ChangesWithWhatAPageShows(t *testing.T) {
	t.Parallel()
	i := item.Item{Name: "A", Assets: []item.Asset{asset("source", "video/mp4", "a.mp4")}}
	before := choose(&i)
	i.Tags, i.Revision = []string{"new"}, 7
	same := choose(&i)
	i.Assets = append(i.Assets, asset("playlist", "application/vnd.apple.mpegurl", "m.m3u8"))
	after := choose(&i)
	if before.Version() != same.Version() || before.Version() == after.Version() {
		t.Errorf("%s, %s, %s", before.Version(), same.Version(), after.Version())
	}
}
