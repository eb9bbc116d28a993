package encode_test

import (
	"math"
	"testing"

	"itemcast/internal/media/mediatest"
)

func TestRun_SixChannelsBecomeTwoWithoutClippingAndOneStaysOne(t *testing.T) {
	t.Parallel()
	loud := run(t, mediatest.Make(t, "loud.m4a",
		"-f lavfi -i aevalsrc='0.9*sin(880*t)|0.9*sin(880*t)|0.9*sin(880*t)|0|0.9*sin(880*t)|0.9*sin(880*t)':c=5.1:d=4 -c:a aac -b:a 384k"))
	sound := loud.playlist(loud.renditions[0])
	if s := look(t, sound); s.Channels != 2 {
		t.Errorf("got %d channels", s.Channels)
	}
	if peak := after(t, filtered(t, sound, "astats=metadata=0"), "Peak level dB:"); peak > 0.1 {
		t.Errorf("the peak is %g dB over full scale", peak)
	}
	mono := run(t, plain(t))
	if s := look(t, mono.playlist(mono.renditions[0])); s.Channels != 1 {
		t.Errorf("one channel became %d", s.Channels)
	}
}

func TestRun_LevelsTheLoudness(t *testing.T) {
	t.Parallel()
	for name, gain := range map[string]string{"quiet.wav": "-15dB", "medium.wav": "-6dB"} {
		e := run(t, mediatest.Make(t, name, "-f lavfi -i sine=f=1000:d=4 -af volume="+gain))
		got := after(t, filtered(t, e.playlist(e.renditions[0]), "ebur128=framelog=verbose"), "I:")
		if math.Abs(got+16) > 1.5 {
			t.Errorf("%s: %g LUFS, want -16", name, got)
		}
	}
	silent := run(t, mediatest.Make(t, "silence.wav", "-f lavfi -i anullsrc=d=2"))
	silent.wantLength(2)
}
