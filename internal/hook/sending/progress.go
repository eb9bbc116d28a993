package sending

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// stage is how far an attempt has got.
type stage int32

const (
	preparing stage = iota
	dialling        // or waiting for a connection
	lookingUp
	connecting
	shakingHands // of TLS
	sending
	waiting
	reading
)

// progress is the stage of a request. net/http connects concurrently, and may use the connection for another request.
type progress struct{ stage atomic.Int32 }

func (p *progress) now() stage { return stage(p.stage.Load()) }

// traced returns a context with which net/http reports its progress.
func (p *progress) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:           func(string) { p.stage.Store(int32(dialling)) }, // again after a closed idle one
		DNSStart:          func(httptrace.DNSStartInfo) { p.advance(lookingUp) },
		ConnectStart:      func(string, string) { p.advance(connecting) },
		TLSHandshakeStart: func() { p.advance(shakingHands) },
		GotConn:           func(httptrace.GotConnInfo) { p.stage.Store(int32(sending)) },
		WroteRequest: func(wrote httptrace.WroteRequestInfo) {
			if wrote.Err == nil {
				p.advance(waiting)
			}
		},
		GotFirstResponseByte: func() { p.advance(reading) },
	})
}

// advance moves forward to a stage, and never back.
func (p *progress) advance(to stage) {
	for {
		at := p.stage.Load()
		if at >= int32(to) || p.stage.CompareAndSwap(at, int32(to)) {
			return
		}
	}
}
