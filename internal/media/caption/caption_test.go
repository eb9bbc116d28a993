package caption_test

import (
	"strings"
	"testing"

	"itemcast/internal/media/caption"
	"itemcast/internal/problem"
)

func convert(t *testing.T, text string) (string, int) {
	t.Helper()
	vtt, cues, err := caption.ToWebVTT([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(vtt), cues
}

func TestToWebVTT_KeepsAnUploadedWebVTTByteForByte(t *testing.T) {
	t.Parallel()
	const text = "\uFEFFWEBVTT - with styles\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\nREGION\r\nid:a\r\n\r\n" +
		"1\r\n00:01.000 --> 00:02.000 region:a\r\n<v Anna>Hi & <c.loud>bye</c>\r\n\r\n00:00:03.000 --> 00:00:04.000\r\nx\r\n"
	if got, cues := convert(t, text); got != text || cues != 2 {
		t.Errorf("got %d cues, %q", cues, got)
	}
}

func TestToWebVTT_ConvertsSubRipAndEscapesWhatBrowsersWouldDrop(t *testing.T) {
	t.Parallel()
	const text = "\uFEFF1\r\n00:00:01,000 --> 00:00:02,500\r\na<b <3\r\n<I>c</I> --> &amp; & d\r\n\r\n" +
		"2\r\n00:00:03,5 --> 01:00:04,000  X1:10 X2:20\r\n{\\an8}<font color=\"red\">red</font>\r\n\r\nafter a gap\r\n\r\n" +
		"00:00:05,000 --> 00:00:06,000\r\nwithout a number\r\n7\r\n\r\n" +
		"9\r\n00:00:09,000 --> 00:00:08,000\r\nends before it begins\r\n"
	const want = `WEBVTT

00:00:01.000 --> 00:00:02.500
a&lt;b &lt;3
<i>c</i> --&gt; &amp; &amp; d

00:00:03.500 --> 01:00:04.000
red
` + " " + `
after a gap

00:00:05.000 --> 00:00:06.000
without a number
7
`
	if got, cues := convert(t, text); got != want || cues != 3 {
		t.Errorf("got %d cues:\n%s\nwant:\n%s", cues, got, want)
	}
}

func TestToWebVTT_RefusesWhatItCannotKeepWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		code problem.Code
	}{
		"Latin-1":  {"1\n00:00:01,000 --> 00:00:02,000\nGr\xFC\xDFe\n", problem.UnsupportedMediaType},
		"empty":    {"", problem.UnsupportedMediaType},
		"no cue":   {"WEBVTT\n\nNOTE nothing\n", problem.UnsupportedMediaType},
		"a video":  {"\x00\x00\x00\x18ftypmp42", problem.UnsupportedMediaType},
		"WEBVTTX":  {"WEBVTTX\n", problem.UnsupportedMediaType},
		"too long": {strings.Repeat("x", caption.MaxBytes+1), problem.TooLarge},
	} {
		if _, _, err := caption.ToWebVTT([]byte(c.text)); !problem.Is(err, c.code) {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
}
