package receiving

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Answers configures the answers to deliveries: 200, unless failures are configured. Status, Hang and Reset choose the
// kind of failure. FailFirst and FailRate choose the attempts that fail; without them, all do.
type Answers struct {
	Status int  // the status of a failure; zero: 500 with FailFirst or FailRate, else no failure
	Hang   bool // a failure gets no answer for as long as the sender waits
	Reset  bool // a failure resets the connection

	FailFirst int     // the first attempts of each delivery that fail
	FailRate  float64 // the share of attempts that fail, at random

	Delay      time.Duration // before every answer
	RetryAfter time.Duration // sent with a failing status
}

// A value outside these limits is a typing error.
const (
	minStatus, maxStatus = 200, 599
	maxWait              = 24 * time.Hour
)

// Check returns an error for a setting out of its limits. The text begins with the name of the setting in a URL.
func (a Answers) Check() error {
	switch {
	case a.Status != 0 && (a.Status < minStatus || a.Status > maxStatus):
		return fmt.Errorf("status must be from %d to %d", minStatus, maxStatus)
	case a.FailFirst < 0:
		return errors.New("fail_first must not be negative")
	case !(a.FailRate >= 0 && a.FailRate <= 1): // nor NaN
		return errors.New("fail_rate must be from 0 to 1")
	case a.Delay < 0 || a.Delay > maxWait:
		return fmt.Errorf("delay must be from 0s to %s", maxWait)
	case a.RetryAfter < 0 || a.RetryAfter > maxWait:
		return fmt.Errorf("retry_after must be from 0s to %s", maxWait)
	}
	return nil
}

const examples = "?status=500&fail_first=2&delay=2s&retry_after=10s, or ?fail_rate=0.3&hang"

// with returns the answers with the settings in a URL's query. Unknown names are ignored: an endpoint may have other
// parameters.
func (a Answers) with(query url.Values) (Answers, error) {
	for name, values := range query {
		value, err := values[0], error(nil)
		switch strings.ReplaceAll(name, "-", "_") {
		case "status":
			a.Status, err = strconv.Atoi(value)
		case "hang":
			a.Hang, err = parseSwitch(value)
		case "reset":
			a.Reset, err = parseSwitch(value)
		case "fail_first":
			a.FailFirst, err = strconv.Atoi(value)
		case "fail_rate":
			a.FailRate, err = strconv.ParseFloat(value, 64)
		case "delay":
			a.Delay, err = parseWait(value)
		case "retry_after":
			a.RetryAfter, err = parseWait(value)
		}
		if err != nil {
			return a, fmt.Errorf("%s cannot be %q: try %s", name, value, examples)
		}
	}
	return a, a.Check()
}

func parseSwitch(value string) (bool, error) {
	if value == "" {
		return true, nil
	}
	return strconv.ParseBool(value)
}

// parseWait parses 2s, 1m30s, or a number of seconds.
func parseWait(value string) (time.Duration, error) {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	return time.ParseDuration(value)
}

// Answer is the answer to one delivery.
type Answer struct {
	Status     int // zero: none
	Silence    Silence
	Delay      time.Duration
	RetryAfter time.Duration
	text       string // the body
}

// Silence is a way to leave a request without an answer.
type Silence string

// The kinds of silence.
const (
	Hang  Silence = "hang"
	Reset Silence = "reset"
)

// Accepted reports whether the answer confirms the delivery to the sender.
func (a Answer) Accepted() bool { return a.Status >= 200 && a.Status <= 299 }

// String returns a text such as "503, retry after 10s".
func (a Answer) String() string {
	var text string
	switch a.Silence {
	case Hang:
		return "no answer"
	case Reset:
		text = "connection reset"
	default:
		text = strconv.Itoa(a.Status)
	}
	if a.RetryAfter > 0 && a.Status != 0 {
		text += ", retry after " + a.RetryAfter.String()
	}
	if a.Delay > 0 {
		text += ", in " + a.Delay.String()
	}
	return text
}

// plan decides how to answer an attempt; the first is 1.
func (a Answers) plan(attempt int, random func() float64) Answer {
	fails := a.Status != 0 || a.Hang || a.Reset
	if a.FailFirst > 0 || a.FailRate > 0 {
		fails = attempt <= a.FailFirst || random() < a.FailRate
	}
	answer := Answer{Status: http.StatusOK, Delay: a.Delay}
	switch {
	case !fails:
	case a.Hang:
		answer = Answer{Silence: Hang}
	case a.Reset:
		answer = Answer{Silence: Reset, Delay: a.Delay}
	default:
		answer.Status = a.Status
		if a.Status == 0 {
			answer.Status = http.StatusInternalServerError
		}
		if !answer.Accepted() {
			answer.RetryAfter, answer.text = a.RetryAfter, "itemcast listen is configured to fail\n"
		}
	}
	return answer
}
