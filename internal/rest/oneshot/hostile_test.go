package oneshot_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
)

// processingInbox is an inbox whose profile processes what it gets, for anybody.
func processingInbox(t *testing.T, n *nodetest.Node) *inbox {
	t.Helper()
	in := newInbox(t, n, map[string]any{"publish": true})
	in.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+in.profile.String(),
		`{"actions":[{"key":"process","kind":"process","name":"Make it playable"}]}`).WantStatus(t, http.StatusOK)
	return in
}

// outcome is what became of a file: the code with which its upload was refused, or the end of its run.
type outcome struct {
	status string // a code; completed or failed
	says   string // the reason
	item   string // its id; "" if the upload was refused
	assets []assetShown
}

type assetShown struct{ Kind, URL string }

// bring uploads a file, and waits for the end of its run.
func (in *inbox) bring(t *testing.T, name string, content []byte) outcome {
	t.Helper()
	claims := in.claims()
	claims.Item = json.RawMessage(`{"privacy":"unlisted"}`)
	got := in.send(t, in.sign(t, claims), form(fileNamed(name, content)))
	if got.Status != http.StatusCreated {
		got.WantNoInternals(t, name)
		return outcome{status: got.Code(t), says: got.Detail(t)}
	}
	return in.await(t, name, got.Results(t)[0]["id"].(string))
}

// await waits for the end of an item's run.
func (in *inbox) await(t *testing.T, name, id string) (o outcome) {
	t.Helper()
	o.item = id
	nodetest.EventuallyWithin(t, nodetest.MediaTimeout, "the run of "+name+" ends", func() bool {
		var run struct {
			Status  string
			Actions []struct{ Error string }
		}
		if err := json.Unmarshal(in.Call(http.MethodGet, "/api/v1/items/"+id+"/workflow", "").Body, &run); err != nil {
			t.Fatal(err)
		}
		o.status = run.Status
		if len(run.Actions) > 0 {
			o.says = run.Actions[0].Error
		}
		return run.Status == "completed" || run.Status == "failed"
	})
	var shown struct {
		Assets    []assetShown
		Snapshots []struct{ URL string }
	}
	if err := json.Unmarshal(in.Call(http.MethodGet, "/api/v1/items/"+id, "").Body, &shown); err != nil {
		t.Fatal(err)
	}
	o.assets = shown.Assets
	for _, s := range shown.Snapshots {
		o.assets = append(o.assets, assetShown{"snapshot", s.URL})
	}
	return o
}

// A reason is for people: one or two sentences, without a path, a program's own words or an address.
var foreign = regexp.MustCompile(`/tmp|/var|scratch|ffprobe:|ffmpeg:|vips:|exit status|127\.0\.0\.1|0x[0-9a-f]`)

// wantEnd checks what became of a file. want begins the status and the reason: "failed The file is no video".
func (in *inbox) wantEnd(t *testing.T, name string, o outcome, want string) {
	t.Helper()
	if got := o.status + " " + o.says; !strings.HasPrefix(got, want) {
		t.Errorf("%s: got %q, want %q", name, got, want)
	}
	if sentences := strings.Count(o.says+" ", ". "); o.status == "failed" && (sentences < 1 || sentences > 2) ||
		foreign.MatchString(o.says) {
		t.Errorf("%s: the reason is %q", name, o.says)
	}
	if o.status == "failed" && len(o.assets) != 1 {
		t.Errorf("%s: failed, and left %v", name, o.assets)
	}
	for _, a := range o.assets {
		in.fetchAll(t, a.URL)
	}
}

// fetchAll fetches a file as anybody and, if it is a playlist, all that it leads to.
func (in *inbox) fetchAll(t *testing.T, url string) {
	t.Helper()
	body := fetch(t, in.WithAuthorization(""), url)
	if !bytes.HasPrefix(body, []byte("#EXTM3U")) || !strings.Contains(url, "itemcast-") && !strings.HasSuffix(url, "playlist.m3u8") {
		return
	}
	base := url[:strings.LastIndex(url, "/")+1]
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		if _, rest, ok := strings.Cut(line, `URI="`); ok {
			line, _, _ = strings.Cut(rest, `"`)
		} else if line == "" || line[0] == '#' {
			continue
		}
		in.fetchAll(t, base+line)
	}
}

// trap is a file of the machine that nobody may read, and an address that nobody may call.
type trap struct {
	file, address string
	calls         atomic.Int64
	opened        func() bool // whether the file was opened
}

func setTrap(t *testing.T, content []byte) *trap {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &trap{file: filepath.Join(t.TempDir(), "canary"), address: listener.Addr().String()}
	if err := os.WriteFile(s.file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	s.opened = watchOpen(t, s.file)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.calls.Add(1)
			conn.Close()
		}
	}()
	return s
}

// fill puts the trap into a text: FILE is the path, and URL an address.
func (s *trap) fill(text string) []byte {
	return []byte(strings.NewReplacer("FILE", s.file, "URL", "http://"+s.address+"/x").Replace(text))
}

func (s *trap) wantUntouched(t *testing.T, name string) {
	t.Helper()
	if n := s.calls.Swap(0); n > 0 {
		t.Errorf("%s: the address was called %d times", name, n)
	}
	if s.opened() {
		t.Errorf("%s: the file was opened", name)
	}
}

func TestTrap_NoticesWhatItShallNotice(t *testing.T) {
	t.Parallel()
	s := setTrap(t, []byte("x"))
	if s.opened() {
		t.Error("nobody has opened it")
	}
	if _, err := os.ReadFile(s.file); err != nil || !s.opened() || s.opened() {
		t.Errorf("an open stays unnoticed, or is noticed twice: %v", err)
	}
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	nodetest.Eventually(t, "the call is counted", func() bool { return s.calls.Load() == 1 })
}

const (
	noMedia  = "failed The file is no video, sound, picture or PDF that Itemcast can read."
	noType   = "UNSUPPORTED_MEDIA_TYPE "
	finished = "completed"
)

// Files that name others: no program reads a file of the machine, or calls an address, for a stranger.
func TestHostile_NoFileLeadsToAnother(t *testing.T) {
	t.Parallel()
	in := processingInbox(t, nodetest.Start(t))
	sound := ffmpeg(t, "sound.wav", tone)
	trap := setTrap(t, sound)
	clip := ffmpeg(t, "clip.mov", pattern+tone+h264+"-c:a aac")
	elsewhere := withBoxes(clip, "moov/trak/mdia/minf/dinf/dref", func([]byte) []byte {
		entry := box("url ", []byte{0, 0, 0, 0}, []byte("file://"+trap.file), []byte{0})
		return append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, entry...)
	})
	alias := withBoxes(clip, "moov/trak/mdia/minf/dinf/dref", func([]byte) []byte { return aliasTo(trap.file) })
	cover := []byte("-->\x00\x03\x00http://" + trap.address + "/cover.jpg")
	frame := append([]byte("APIC\x00\x00\x00"+string(rune(len(cover)+1))+"\x00\x00\x00"), cover...)
	tag := append([]byte("ID3\x03\x00\x00\x00\x00\x00"+string(rune(len(frame)))), frame...)
	linked := slices.Concat(tag, ffmpeg(t, "sound.mp3", tone+"-c:a libmp3lame -write_xing 0 -id3v2_version 0"))
	for name, c := range soak.Some(3, map[string]struct {
		content []byte
		want    string
	}{
		"media.m3u8": {trap.fill("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://FILE\n#EXTINF:2,\nURL\n#EXT-X-ENDLIST\n"), noMedia},
		"renamed playlist.mp4": {trap.fill("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"file://FILE\"\n#EXTINF:2,\nconcat:FILE|FILE\n" +
			"#EXT-X-ENDLIST\n"), noMedia},
		"key.m3u8":      {trap.fill("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"URL\"\n#EXTINF:2,\nsubfile,,start,0,end,99,,:FILE\n#EXT-X-ENDLIST\n"), noMedia},
		"master.m3u8":   {trap.fill("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nURL\n"), noMedia},
		"list.ffconcat": {trap.fill("ffconcat version 1.0\nfile 'FILE'\nfile 'URL'\n"), noMedia},
		"manifest.mpd": {trap.fill(`<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>` +
			`<Representation id="1"><BaseURL>URL</BaseURL></Representation></AdaptationSet></Period></MPD>`), noMedia},
		"session.sdp": {trap.fill("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\na=control:URL\n"), noMedia},
		"list.asx":    {trap.fill(`<asx version="3.0"><entry><ref href="URL"/></entry></asx>`), noMedia},
		"list.ref":    {trap.fill("[Reference]\r\nRef1=URL\r\n"), noMedia},
		"drawing.svg": {trap.fill(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" width="99" height="99">` +
			`<image x:href="file://FILE" width="9" height="9"/><image href="URL" width="9" height="9"/><use href="URL#a"/></svg>`), noMedia},
		"entity.svg": {trap.fill(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e SYSTEM "file://FILE"><!ENTITY % p SYSTEM "URL"> %p;]>` +
			`<svg xmlns="http://www.w3.org/2000/svg"><text>&e;</text></svg>`), noMedia},
		"renamed drawing.png": {trap.fill(`<svg xmlns="http://www.w3.org/2000/svg"><image href="file://FILE"/></svg>`), noMedia},
		"entity.xml":          {trap.fill(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "URL">]><a>&e;</a>`), noMedia},
		"page.html":           {trap.fill(`<!DOCTYPE html><img src="URL"><script src="URL"></script>`), noMedia},
		"commands.mvg":        {trap.fill("push graphic-context\nimage over 0,0 9,9 'FILE'\nimage over 0,0 9,9 'URL'\npop graphic-context\n"), noMedia},
		"script.eps":          {trap.fill("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(FILE) (r) file pop\n"), noMedia},
		"document.pdf": {trap.fill(string(pdf("100", "100", "/OpenAction 10 0 R/AA<</WC 11 0 R>>",
			"/Contents 12 0 R/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A 10 0 R>>]/Resources<</XObject<</I 13 0 R>>>>",
			"<</S/URI/URI(URL)>>", "<</S/Launch/F(FILE)>>", "<</Length 4/F(FILE)/FS/URL>> stream\n/I Do\nendstream",
			"<</Type/XObject/Subtype/Image/Width 9/Height 9/BitsPerComponent 8/ColorSpace/DeviceGray/Length 0/F<</FS/URL/F(URL)>>>> "+
				"stream\n\nendstream"))), finished},
		"drawing in a document.pdf": {trap.fill("%PDF-1.4\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"99\" height=\"99\">" +
			"<image href=\"file://FILE\" width=\"9\" height=\"9\"/><image href=\"URL\" width=\"9\" height=\"9\"/></svg>"), "failed The file says that it is a PDF"},
		"commands in a document.pdf": {trap.fill("%PDF-1.4\npush graphic-context\nimage over 0,0 9,9 'URL'\n"), "failed The file says that it is a PDF"},
		"content elsewhere.mov":      {elsewhere, ""},
		"alias.mov":                  {alias, ""},
		"cover elsewhere.mp3":        {linked, finished},
		"source[page=FILE].mp4":      {clip, finished},
		"-i concat:FILE.mp4":         {clip, finished},
	}) {
		in.wantEnd(t, name, in.bring(t, strings.ReplaceAll(name, "FILE", strings.ReplaceAll(trap.file, "/", ":")), c.content), c.want)
		trap.wantUntouched(t, name)
	}
	wantNowhere(t, trap)
}

// aliasTo returns the entries of a dref with an alias of Mac OS to a file (QuickTime File Format, "Data reference
// atoms"): the record's types 2 and 18 have the path.
func aliasTo(path string) []byte {
	record := make([]byte, 150)
	record = append(record, 0, 18, byte(len(path)>>8), byte(len(path)))
	record = append(record, path...)
	if len(path)%2 == 1 {
		record = append(record, 0)
	}
	record = append(record, 0xFF, 0xFF, 0, 0)
	return append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, box("alis", []byte{0, 0, 0, 0}, record)...)
}

// wantNowhere checks that nothing was left in the folder of the trap.
func wantNowhere(t *testing.T, s *trap) {
	t.Helper()
	if entries, err := os.ReadDir(filepath.Dir(s.file)); err != nil || len(entries) != 1 {
		t.Errorf("the trap's folder has %v, %v", entries, err)
	}
}

func TestHostile_WhatSaysMoreThanItHoldsIsRefusedInWords(t *testing.T) {
	t.Parallel()
	in := processingInbox(t, nodetest.Start(t))
	clip := ffmpeg(t, "clip.mp4", pattern+tone+h264+"-c:a aac")
	table := func(kind string, entries []byte) []byte {
		return withBoxes(clip, "moov/trak/mdia/minf/stbl/"+kind, func([]byte) []byte { return entries })
	}
	jpeg := ffmpeg(t, "still.jpg", pattern+"-frames:v 1")
	if at := bytes.Index(jpeg, []byte{0xFF, 0xC0}); at > 0 {
		copy(jpeg[at+5:], []byte{0xFF, 0xFF, 0xFF, 0xFF}) // its height and width
	}
	gif := ffmpeg(t, "moving.gif", pattern)
	copy(gif[6:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	webp := []byte("RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFFVP8L\x00\x00\x00\x00")
	tiff := []byte("II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x04\x00\x01\x00\x00\x00\xFF\xFF\xFF\x7F\x01\x01\x04\x00\x01\x00\x00\x00" +
		"\xFF\xFF\xFF\x7F\x00\x00\x00\x00")
	for name, c := range soak.Some(6, map[string]struct {
		content []byte
		want    string
	}{
		"an index of 2^60 bytes.mp4":     {append(box("ftyp", []byte("mp42\x00\x00\x00\x00mp42isom")), "\x00\x00\x00\x01moov\x10\x00\x00\x00\x00\x00\x00\x00rest"...), "failed The file"},
		"268 million samples.mp4":        {table("stsz", []byte{0, 0, 0, 0, 0, 0, 0, 1, 0x0F, 0xFF, 0xFF, 0xFF}), "failed The file"},
		"4 billion samples.mp4":          {table("stsz", []byte{0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF}), "failed The file"},
		"years between two pictures.mp4": {table("stts", []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 20, 0x7F, 0xFF, 0xFF, 0xFF}), "failed The file"},
		"a segment of 2^55 bytes.mkv":    {append(matroskaHead(), append(elementHead(0x18538067, 1<<55), "rest"...)...), "failed The file"},
		"tracks of 2^55 bytes.mkv": {append(matroskaHead(), append(elementHead(0x18538067, 1<<55),
			append(elementHead(0x1654AE6B, 1<<54), make([]byte, 1000)...)...)...), "failed The file"},
		"forty days.mkv":               {matroska(1, 0, 40*24*3600*1000), "failed The file lasts 960:00:00, and may last 12:00:00."},
		"4 GB of sound.wav":            {wave(8000, 1, 0xFFFFFFFF-100), ""},
		"a picture of 2^62 pixels.png": {png(1<<31-1, 1<<31-1), "failed The"},
		"a picture of 10^9 pixels.png": {png(100_000, 10_000), "failed The file says that it is a PNG"},
		"4 billion pixels.jpg":         {jpeg, "failed The file says that it is a JPEG"},
		"4 billion pixels.gif":         {gif, finished},
		"2^48 pixels.webp":             {webp, "failed The file says that it is a WEBP"},
		"2^62 pixels.tif":              {tiff, "failed The file says that it is a TIFF"},
		"a page of 10^9 points.pdf":    {pdf("1000000000", "1000000000", "", ""), ""},
		"a page without a size.pdf":    {pdf("0", "0", "", ""), ""},
		"a page within itself.pdf":     {pdf("9", "9", "", "/Contents 10 0 R/Resources<</XObject<</I 11 0 R>>>>", "<</Length 5>> stream\n/I Do\nendstream", "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</I 11 0 R>>>>/Length 5>> stream\n/I Do\nendstream"), ""},
		"a tag of 256 MB.mp3":          {append([]byte("ID3\x04\x00\x00\x7F\x7F\x7F\x7FTIT2\x7F\x7F\x7F\x7F\x00\x00x"), make([]byte, 1000)...), "failed The file"},
		"a block of 16 MB.flac":        {append([]byte("fLaC\x04\xFF\xFF\xFF\x10\x00\x00\x00"), make([]byte, 1000)...), noType},
		"chunks of 2^63 bytes.caf":     {append([]byte("caff\x00\x01\x00\x00desc\x00\x00\x00\x00\x00\x00\x00\x20"), append(make([]byte, 32), "data\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00"...)...), ""},
	}) {
		in.wantEnd(t, name, in.bring(t, name, c.content), c.want)
	}
}

func TestHostile_ThousandsOfStreamsAndExtremesAreHeldToLimits(t *testing.T) {
	t.Parallel()
	in := processingInbox(t, nodetest.Start(t))
	frame := ffmpeg(t, "frame.mp4", "-f lavfi -i testsrc2=s=16x16:r=10:d=0.2 "+h264)
	for name, c := range soak.Some(6, map[string]struct {
		content []byte
		want    string
	}{
		"10,000 tracks.mkv":       {matroska(10_000, 0, 125), "failed The file has more than 100 tracks"},
		"10,000 tracks.mp4":       {withTracks(frame, 10_000), "failed The file has more than 100 tracks"},
		"90 tracks.mkv":           {matroska(90, 0, 125), finished},
		"a sample a second.wav":   {wave(1, 1, 1000), ""},
		"1,536,000 a second.wav":  {wave(1_536_000, 2, 1000), ""},
		"4 billion a second.wav":  {wave(0xFFFFFFFF, 1, 1000), "failed The file"},
		"no sample a second.wav":  {wave(0, 1, 1000), "failed The file"},
		"64 channels.wav":         {wave(48_000, 64, 1000), ""},
		"65,535 channels.wav":     {wave(48_000, 65_535, 1000), "failed The file"},
		"9,000 pictures a second": {ffmpeg(t, "fast.mkv", "-f lavfi -i testsrc2=s=16x16:r=1000:d=0.5 "+h264+"-fps_mode passthrough"), finished},
		"16,000 × 16.mkv":         {ffmpeg(t, "wide.mkv", "-f lavfi -i color=s=16000x16:r=5:d=0.4 "+h264), finished},
		"16 × 16,000.mkv":         {ffmpeg(t, "tall.mkv", "-f lavfi -i color=s=16x16000:r=5:d=0.4 "+h264), finished},
		"144 million pixels.mkv":  {ffmpeg(t, "large.mkv", "-f lavfi -i color=s=12000x12000:r=1:d=1 -frames:v 1 -c:v png -pred none"), "failed The"},
		"1 × 60,000.png":          {ffmpeg(t, "thin.png", "-f lavfi -i color=s=1x60000,format=rgb24 -frames:v 1"), finished},
		"60,000 × 1.png":          {ffmpeg(t, "flat.png", "-f lavfi -i color=s=60000x1,format=rgb24 -frames:v 1"), finished},
	}) {
		in.wantEnd(t, name, in.bring(t, name, c.content), c.want)
	}
}

func TestHostile_ArchivesAndOtherFilesAreNoMedia(t *testing.T) {
	t.Parallel()
	in := processingInbox(t, nodetest.Start(t))
	var zeros bytes.Buffer
	w := gzip.NewWriter(&zeros)
	_, _ = w.Write(make([]byte, 64<<20))
	_ = w.Close()
	clip := ffmpeg(t, "clip.mp4", pattern+tone+h264+"-c:a aac")
	for name, c := range soak.Some(6, map[string]struct {
		content []byte
		want    string
	}{
		"empty.mp4":        {nil, `BAD_REQUEST The file "empty.mp4" is empty`},
		"bomb.gz":          {zeros.Bytes(), noMedia},
		"renamed bomb.mp4": {zeros.Bytes(), noMedia},
		"archive.zip":      {[]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00" + strings.Repeat("\x00", 100)), noMedia},
		"archive.7z":       {[]byte("7z\xBC\xAF\x27\x1C\x00\x04" + strings.Repeat("\x00", 100)), noMedia},
		"archive.rar":      {[]byte("Rar!\x1A\x07\x01\x00" + strings.Repeat("\x00", 100)), noMedia},
		"archive.tar":      {archive(), noMedia},
		"program.mp4":      {append([]byte("\x7FELF\x02\x01\x01"), make([]byte, 1000)...), noMedia},
		"noise.mp4":        {bytes.Repeat([]byte{0xFE, 0x01, 0x80}, 3000), noType},
		"zeros.mp4":        {make([]byte, 10_000), noType},
		"text.mp4":         {[]byte(strings.Repeat("nothing to see here\n", 100)), noMedia},
		"clip.jpg":         {clip, finished},
		"clip.exe":         {clip, finished},
	}) {
		o := in.bring(t, name, c.content)
		in.wantEnd(t, name, o, c.want)
		if o.status == finished && o.assets[len(o.assets)-1].Kind != "snapshot" {
			t.Errorf("%s: got %v", name, o.assets)
		}
	}
}

// archive returns a tar with a path outside.
func archive() []byte {
	out := make([]byte, 1536)
	copy(out, "../../../../etc/cron.d/x")
	copy(out[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00        0")
	copy(out[257:], "ustar\x0000")
	sum := 0
	for _, b := range out[:512] {
		sum += int(b)
	}
	copy(out[148:], fmt.Sprintf("%06o\x00 ", sum))
	return out
}

// A file that is cut off is refused, or what there is of it plays. Nothing is published half.
func TestHostile_CutFilesFailOrPlayAsFarAsTheyGo(t *testing.T) {
	t.Parallel()
	in := processingInbox(t, nodetest.Start(t))
	plain := "-f lavfi -i testsrc2=s=64x64:r=5:d=4 "
	for name, whole := range soak.Some(4, map[string][]byte{
		"clip.mp4":  ffmpeg(t, "clip.mp4", plain+tone+h264+"-c:a aac"),
		"fast.mp4":  ffmpeg(t, "fast.mp4", plain+tone+h264+"-c:a aac -movflags +faststart"),
		"clip.webm": ffmpeg(t, "clip.webm", plain+"-c:v libvpx -deadline realtime -cpu-used 8"),
		"clip.ts":   ffmpeg(t, "clip.ts", plain+h264),
		"sound.mp3": ffmpeg(t, "sound.mp3", tone+"-c:a libmp3lame"),
		"sound.ogg": ffmpeg(t, "sound.ogg", tone+"-c:a libopus"),
		"sound.wav": ffmpeg(t, "sound.wav", tone),
		"still.png": ffmpeg(t, "still.png", pattern+"-frames:v 1"),
		"still.jpg": ffmpeg(t, "still.jpg", pattern+"-frames:v 1"),
		"page.pdf":  pdf("100", "100", "", "/Contents 10 0 R", "<</Length 22>> stream\n1 0 0 rg 0 0 9 9 re f   \nendstream"),
	}) {
		for tenth := 1; tenth < 10; tenth += soak.Times(8, 1) {
			part := fmt.Sprintf("%d tenths of %s", tenth, name)
			o := in.bring(t, name, whole[:len(whole)*tenth/10])
			in.wantEnd(t, part, o, "")
			if o.status == finished && len(o.assets) < 2 {
				t.Errorf("%s: completed with %v", part, o.assets)
			}
			if strings.HasSuffix(name, "4") && o.status == finished || strings.HasSuffix(name, "g") && strings.HasPrefix(name, "still") &&
				o.status == finished {
				t.Errorf("%s: completed", part)
			}
		}
	}
}
