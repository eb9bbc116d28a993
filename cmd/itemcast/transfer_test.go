package main

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
)

func TestProgress_HasASpeedAfterASecond(t *testing.T) {
	t.Parallel()
	p := newProgress(&bytes.Buffer{}, "importing", " lines", 5000)
	p.from = 1000 // where an earlier run stopped
	for _, c := range []struct {
		done int64
		took time.Duration
		want string
	}{
		{1000, 0, "importing 1000 of 5000 lines"},
		{1100, time.Millisecond, "importing 1100 of 5000 lines"},
		{1000, 5 * time.Second, "importing 1000 of 5000 lines"},
		{2000, 2 * time.Second, "importing 2000 of 5000 lines, 500/s, 6s left"},
	} {
		if got := p.status(c.done, c.took); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	p.total = -1
	if got, want := p.status(2000, 2*time.Second), "importing 2000 lines, 500/s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgress_IsALineNowAndThenInALog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := newProgress(&log, "importing", " lines", 5000)
	p.at(100)
	p.at(200)
	p.printed = p.printed.Add(-plainInterval)
	p.at(300)
	p.at(400)
	p.end()
	if got := log.String(); got != "importing 300 of 5000 lines\n" {
		t.Errorf("got %q", got)
	}
}

func TestTransfer_DrawsNoBarWithoutATerminal(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	if code, out, errs := nodetest.RunProcess(t, environment, "import", writeItems(t, 300)); code != 0 || errs != "" {
		t.Errorf("%d\n%s\n%q", code, out, errs)
	}
	code, out, errs := nodetest.RunProcess(t, environment, "export")
	summary := regexp.MustCompile(`^exported 300 items, (\d+) bytes, in [0-9.]+m?s\n$`).FindStringSubmatch(errs)
	if code != 0 || summary == nil {
		t.Fatalf("%d\n%q", code, errs)
	}
	if summary[1] != strconv.Itoa(len(out)) {
		t.Errorf("the summary has %s bytes, the output %d", summary[1], len(out))
	}
}
