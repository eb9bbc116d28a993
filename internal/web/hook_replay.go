package web

import (
	"strconv"
	"time"

	"itemcast/internal/hook"
	"itemcast/internal/problem"
)

// replayView is the running replay of a hook, or its last one, and the form of another.
type replayView struct {
	Action    string
	Known     bool // there was one
	Running   bool
	Started   moment
	Done      int64 // changes of the log
	Size      int64
	Text      string
	Error     string
	Since     field
	Rate      field
	MayReplay bool // the hook is active, and no replay runs
}

// replaySpans are how far back a replay may begin, in hours.
var replaySpans = []int{1, 24, 7 * 24, 30 * 24}

func (c *call) replay(h *hook.Hook) (replayView, error) {
	v := replayView{Action: c.hookPath(h.ID),
		Since: field{Name: "since", Label: c.text.Get("replay.since"), Kind: "choice"},
		Rate: field{Name: "rate", Label: c.text.Get("replay.rate"), Kind: "number",
			Value: strconv.Itoa(hook.DefaultReplayRate)}}
	for _, hours := range replaySpans {
		value := strconv.Itoa(hours)
		v.Since.Options = append(v.Since.Options, option{Value: value, Text: c.text.Get("replay.since." + value)})
	}
	r, err := c.pages.Hooks.CurrentReplay(c.Context(), h.ID)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return v, err
	}
	v.Known = err == nil
	v.Running = v.Known && r.EndedAt == nil
	v.MayReplay = h.Active && !v.Running
	if v.Known {
		v.Started, v.Done, v.Size = momentOf(c.text, r.StartedAt), r.Done, r.Size
		v.Text = c.text.Count("replay.progress", int(r.Deliveries), c.text.Number(r.Done), c.text.Number(r.Size))
		if r.Error != nil {
			v.Error = *r.Error
		}
	}
	return v, nil
}

// changeReplay starts a replay, or stops it.
func (c *call) changeReplay(h *hook.Hook, do string) (notice, error) {
	if do == "stop" {
		return done("replay.stopped"), c.pages.Hooks.StopReplay(c.Context(), h.ID)
	}
	hours, err := strconv.Atoi(c.value("since"))
	if err != nil || hours < 1 || hours > replaySpans[len(replaySpans)-1] {
		return notice{}, problem.New(problem.BadRequest, "Choose how far back the replay begins.")
	}
	rate, err := strconv.Atoi(c.value("rate"))
	if err != nil {
		return notice{}, problem.New(problem.BadRequest, "The rate must be a whole number of deliveries a second, up to %d.",
			hook.MaxReplayRate)
	}
	since := time.Now().Add(-time.Duration(hours) * time.Hour).UTC()
	_, err = c.pages.Hooks.Replay(c.Context(), h.ID, hook.ReplayFrom{Since: &since, Rate: rate})
	return done("replay.started"), err
}
