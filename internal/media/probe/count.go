package probe

import (
	"container/heap"
	"context"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/media/program"
)

const (
	reorder   = 32                     // packets, more than any codec reorders
	motion    = 300 * time.Millisecond // the longest time between two pictures of a picture that moves
	breakTime = 10 * time.Second       // a longer step of a broadcast's time stamps is a break, as ffmpeg has it
	breakBack = 100 * time.Millisecond // so is a longer step back
)

// counter measures one stream by its packets.
type counter struct {
	breaks  bool          // the format may have breaks
	packets int           // that no edit list hides
	waiting times         // time stamps that another packet may still precede
	latest  time.Duration // the latest time stamp that came
	lasts   time.Duration // the duration of its packet; 0: not said
	decoded time.Duration // the time at which the last packet is decoded

	started bool // first and last are set
	first   time.Duration
	last    time.Duration // the latest time stamp in order, without the breaks
	shift   time.Duration // the sum of the breaks
	longest time.Duration // step
	moving  int           // steps of at most motion
	moved   time.Duration // their sum
}

type times []time.Duration

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(x any)        { *t = append(*t, x.(time.Duration)) }
func (t *times) Pop() any {
	old := *t
	x := old[len(old)-1]
	*t = old[:len(old)-1]
	return x
}

// count reads the whole file and measures its streams.
func count(ctx context.Context, path string, d *described, limits Limits) ([]*counter, error) {
	counters := make([]*counter, 0, len(d.Streams))
	for range d.Streams {
		counters = append(counters, &counter{breaks: d.Format.Name == "mpegts" || d.Format.Name == "mpeg"})
	}
	args := append([]string{"-v", "quiet", "-of", "compact=p=0", "-show_entries",
		"packet=stream_index,pts_time,dts_time,duration_time,flags"}, Input(path)...)
	_, err := program.Run(ctx, program.Command{Name: "ffprobe", Args: args, Dir: dirOf(path), Limits: limits.Program,
		Lines: func(line string) error {
			countLine(counters, line)
			return nil
		}})
	if err != nil {
		return nil, explain(err)
	}
	for _, c := range counters {
		c.flush()
	}
	return counters, nil
}

// countLine counts the packet of a line such as
// "stream_index=0|pts_time=0.033|dts_time=0.0|duration_time=0.033|flags=K_".
func countLine(counters []*counter, line string) {
	var index, pts, dts, duration, flags string
	for field := range strings.SplitSeq(line, "|") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "stream_index":
			index = value
		case "pts_time":
			pts = value
		case "dts_time":
			dts = value
		case "duration_time":
			duration = value
		case "flags":
			flags = value
		}
	}
	n, err := strconv.Atoi(index)
	if err != nil || n < 0 || n >= len(counters) {
		return
	}
	c := counters[n]
	if strings.Contains(flags, "D") {
		return // an edit list hides it
	}
	if pts == "" || pts == "N/A" {
		pts = dts
	}
	if pts == "" || pts == "N/A" {
		c.packets++
		return
	}
	if dts == "" || dts == "N/A" {
		dts = pts
	}
	c.add(seconds(pts), seconds(dts), seconds(duration))
}

// add counts a packet that is shown at a time and decoded at another one. Only the latter never steps back.
func (c *counter) add(at, decoded, lasts time.Duration) {
	c.packets++
	if c.breaks && c.packets > 1 && (decoded < c.decoded-breakBack || decoded > c.decoded+breakTime) {
		c.flush()
		c.shift = at - c.last - c.typical()
		c.latest = at
	}
	if c.packets == 1 || at >= c.latest {
		c.latest, c.lasts = at, lasts
	}
	c.decoded = decoded
	heap.Push(&c.waiting, at-c.shift)
	if len(c.waiting) > reorder {
		c.step(heap.Pop(&c.waiting).(time.Duration))
	}
}

// flush goes on to the last time stamp that came.
func (c *counter) flush() {
	for len(c.waiting) > 0 {
		c.step(heap.Pop(&c.waiting).(time.Duration))
	}
}

// step goes on to the next time stamp in order.
func (c *counter) step(at time.Duration) {
	if !c.started {
		c.started, c.first, c.last = true, at, at
		return
	}
	gap := at - c.last
	if gap <= 0 {
		return
	}
	c.longest = max(c.longest, gap)
	if gap <= motion {
		c.moving++
		c.moved += gap
	}
	c.last = at
}

// typical is the usual time between two packets.
func (c *counter) typical() time.Duration {
	if c.moving == 0 {
		return 40 * time.Millisecond
	}
	return c.moved / time.Duration(c.moving)
}

// end is when the last packet ends.
func (c *counter) end() time.Duration {
	if c.packets == 0 {
		return 0
	}
	if c.lasts <= 0 {
		return c.last + c.typical()
	}
	return c.last + c.lasts
}

// rate is the number of packets a second, without the stills between; 0: unknown.
func (c *counter) rate() float64 {
	if c.moved == 0 {
		return 0
	}
	return float64(c.moving) / c.moved.Seconds()
}

func (c *counter) track(s *stream, start time.Duration) Track {
	bits, _ := strconv.ParseInt(s.BitRate, 10, 64)
	return Track{Stream: s.Index, Codec: s.Codec, Packets: c.packets, Start: c.first - start, End: c.end() - start,
		BitRate: bits}
}
