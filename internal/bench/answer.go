package bench

import (
	"net/http"
	"sync"
	"time"
)

// answer decides the status of a response. It may wait; closed ends the wait. Status zero means that the endpoint
// does not respond.
type answer func(closed <-chan struct{}) (status int)

func answerAtOnce(<-chan struct{}) int { return http.StatusOK }

func answerError(<-chan struct{}) int { return http.StatusInternalServerError }

func answerNever(closed <-chan struct{}) int {
	<-closed
	return 0
}

// answerOneASecond answers one request after another, each after a second.
func answerOneASecond() answer {
	var turn sync.Mutex
	return func(closed <-chan struct{}) int {
		turn.Lock()
		defer turn.Unlock()
		select {
		case <-closed:
			return 0
		case <-time.After(time.Second):
			return http.StatusOK
		}
	}
}

// answerOnceOpen waits until the gate is open, and then answers at once.
func answerOnceOpen(gate <-chan struct{}) answer {
	return func(closed <-chan struct{}) int {
		select {
		case <-closed:
			return 0
		case <-gate:
			return http.StatusOK
		}
	}
}
