package receiving

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

const hostile = "a\x1b[2J\x07\u009b31m\u202e\xff\r\n\x7f\U000e0001b"

func sample(body string) *Delivery {
	return &Delivery{At: time.Now(), Target: "/" + hostile, Header: http.Header{"X-A": {hostile}}, Body: []byte(body),
		ID: hostile, Event: hostile, Trigger: hostile, Item: hostile, Cursor: hostile, Checked: true,
		Task: hostile, TaskAt: hostile, Action: hostile,
		Fault: errors.New(hostile), Answer: Answer{Status: 200}}
}

// A terminal obeys control characters and marks of direction.
func TestPrinter_NothingFromTheWireReachesATerminalUnescaped(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"a":"` + "\u009b\u202e\xff\x7f" + `"}`, hostile,
		"[" + strings.Repeat(" ", maxIndented) + "\"\u009b\"]"} {
		var out strings.Builder
		p := Printer{Out: &out, Headers: true, Body: true}
		p.Print(sample(body))
		p.Note(hostile)
		Recorder{Out: &out, Headers: true, Terminal: true}.Print(sample(body))
		if strings.ContainsFunc(out.String(), func(r rune) bool { return hidden(r, "\n") }) {
			t.Errorf("%q", out.String())
		}
	}
}

func TestPrinter_ADeliveryIsOneBoundedLine(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	d := sample("{}")
	d.Item = strings.Repeat("é", 100_000)
	Printer{Out: &out}.Print(d)
	if line := out.String(); strings.Count(line, "\n") != 1 || len(line) > 4000 {
		t.Errorf("%d bytes: %q", len(line), line)
	}
}

func TestPrinter_MarksWhatIsRepeatedOutOfOrderOrOlder(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Delivery{
		"repeated (attempt 2)":                               {Attempt: 2},
		"repeated (attempt 2, accepted before)":              {Attempt: 2, Accepted: true},
		"OUT OF ORDER (revision 5 was accepted before)":      {Attempt: 1, Trigger: "hook", OutOfOrder: 5},
		"older than revision 5, which was accepted before":   {Attempt: 1, Trigger: "replay", OutOfOrder: 5},
		"older than revision 5, which was accepted before\n": {Attempt: 1, Trigger: "manual", OutOfOrder: 5},
	} {
		var out strings.Builder
		d.Target = "/"
		Printer{Out: &out}.Print(&d)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: got %s", want, out.String())
		}
	}
}

func TestPrinter_NamesTheTaskOfAWorkflow(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Delivery{
		"→ 200  task notify, before_action publish\n": {Task: "notify", TaskAt: "before_action", Action: "publish"},
		"→ 200  task notify, workflow_start\n":        {Task: "notify", TaskAt: "workflow_start"},
		"→ 200\n":                                     {},
	} {
		var out, record strings.Builder
		d.Target, d.Attempt, d.Answer = "/", 1, Answer{Status: 200}
		Printer{Out: &out}.Print(&d)
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("got %q, want %q", out.String(), want)
		}
		Recorder{Out: &record}.Print(&d)
		if strings.Contains(record.String(), `"task":"notify","task_at":"`+d.TaskAt) != (d.Task != "") {
			t.Errorf("recorded %s", record.String())
		}
	}
}

func TestPrinter_ADeepBodyIsNotIndented(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 5000) + strings.Repeat("1,", 50_000) + "1" + strings.Repeat("]", 5000)
	if got := indented([]byte(deep)); got != deep {
		t.Errorf("became %d bytes", len(got))
	}
	if got := indented([]byte(`{"a":[1]}`)); got != "{\n  \"a\": [\n    1\n  ]\n}" {
		t.Errorf("got %s", got)
	}
}

// For a terminal the body is escaped, which leaves the same JSON. Otherwise its bytes stay.
func TestRecorder_KeepsTheBody(t *testing.T) {
	t.Parallel()
	body := `{"a":"<&>\u2028` + "\u009b\U000e0001" + `","b":1.0}`
	for _, terminal := range []bool{false, true} {
		var out strings.Builder
		Recorder{Out: &out, Terminal: terminal}.Print(sample(body))
		var line struct {
			Body     json.RawMessage
			Verified *bool
		}
		if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
			t.Fatal(err)
		}
		var want, got struct{ A string }
		_, _ = json.Unmarshal([]byte(body), &want), json.Unmarshal(line.Body, &got)
		if got != want || !terminal && string(line.Body) != body || line.Verified == nil || *line.Verified {
			t.Errorf("terminal %t: got %s, want %s", terminal, line.Body, body)
		}
	}
	var out strings.Builder
	Recorder{Out: &out}.Print(sample("no JSON"))
	if !strings.HasSuffix(out.String(), `"body":"no JSON"}`+"\n") {
		t.Errorf("got %s", out.String())
	}
}
