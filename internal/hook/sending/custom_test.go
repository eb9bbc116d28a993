package sending

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestCheckHeaders_NamesEveryFault(t *testing.T) {
	t.Parallel()
	const (
		ours  = "is set by Itemcast or the connection"
		token = "must have a name of letters"
		value = "must have a value of visible ASCII"
		edges = "neither begins nor ends"
	)
	for name, want := range map[string]string{
		"Webhook-Id": ours, "webhook-anything": ours, "WEBHOOK-SIGNATURE": ours, "Itemcast-Event": ours, "itemcast-": ours, "Content-Type": ours,
		"content-length": ours, "Content-Encoding": ours, "Host": ours, "Connection": ours, "Transfer-Encoding": ours, "TE": ours, "Trailer": ours,
		"Upgrade": ours, "Proxy-Authorization": ours, "proxy-connection": ours, "Keep-Alive": ours, "User-Agent": ours, "traceparent": ours,
		"TraceState": ours, "accept-encoding": ours, "Expect": ours, "Idempotency-Key": ours, "X-Idempotency-Key": ours, "HTTP2-Settings": ours,
		"": "must have a name", "X Y": token, "X:Y": token, "X\n": token, "Ü": token, "X\x00": token, "(X)": token, ":authority": token,
		strings.Repeat("x", MaxHeaderName+1): "at most 100 characters",
	} {
		if got := CheckHeaders(map[string]string{name: "v"}); len(got) != 1 || !strings.Contains(got[name], want) {
			t.Errorf("%q: got %v, want %q", name, got, want)
		}
	}
	for text, want := range map[string]string{
		"a\nb": value, "a\rb": value, "a\x00b": value, "é": value, "\x7f": value, "\xff": value, "\ta": edges, "a\t": edges,
		strings.Repeat("v", MaxHeaderValue+1): "at most 2000 characters",
	} {
		if got := CheckHeaders(map[string]string{"X": text}); len(got) != 1 || !strings.Contains(got["X"], want) {
			t.Errorf("%q: got %v, want %q", text, got, want)
		}
	}
	got := CheckHeaders(map[string]string{"Host": "a", "X-A": "\n", "X-B": "b"})
	if len(got) != 2 || got["Host"] == "" || got["X-A"] == "" {
		t.Errorf("got %v", got)
	}
}

func TestCheckHeaders_IgnoresUpperAndLowerCase(t *testing.T) {
	t.Parallel()
	got := CheckHeaders(map[string]string{"X-Key": "a", "x-key": "b", "X-Other": "c"})
	want := map[string]string{"x-key": "must not repeat X-Key; upper and lower case do not distinguish headers"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestCheckHeaders_AcceptsHeaders(t *testing.T) {
	t.Parallel()
	headers := map[string]string{
		"Authorization": "Bearer abc.def==", "Cookie": "a=b; c=d", "X-Tenant": "", "x_y": "a\tb", "Accept": "*/*", "Contents": "a", "Webhook": "a", "!#$%&'*+-.^_`|~": "~ !",
		strings.Repeat("x", MaxHeaderName): strings.Repeat("v", MaxHeaderValue),
	}
	if got := CheckHeaders(headers); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	for i := len(headers); i < MaxHeaders; i++ {
		headers[fmt.Sprintf("X-%d", i)] = "v"
	}
	if got := CheckHeaders(headers); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	headers["X-More"] = "v"
	if got := CheckHeaders(headers); len(got) != 1 || got[""] != "must have at most 20 entries" {
		t.Errorf("got %v", got)
	}
	if got := CheckHeaders(nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
