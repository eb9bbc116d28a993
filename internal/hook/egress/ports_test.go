package egress

import (
	"testing"

	"github.com/alecthomas/kong"
)

func TestPorts_AreParsedAndWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"80": "80", "80,443,8000-8999": "80,443,8000-8999", " 443 , 80 ": "80,443", "8000-8999,8500-9000,9001": "8000-9001", "1-65535": "1-65535",
		"65535,65534": "65534-65535", "1024 - 2048": "1024-2048", DefaultPorts: DefaultPorts,
	} {
		var p Ports
		if err := p.UnmarshalText([]byte(text)); err != nil || p.String() != want {
			t.Errorf("%q: %q, %v, want %q", text, p, err, want)
		}
	}
	for _, text := range []string{"", ",", "80,", "0", "65536", "http", "9-8", "80-", "-80", "80;443", "+80", "0x50",
		"1-2-3"} {
		var p Ports
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was parsed as %s", text, p)
		}
	}
}

func TestPorts_AllowTheirRangesOnly(t *testing.T) {
	t.Parallel()
	var some Ports
	if err := some.UnmarshalText([]byte("80,8000-8999")); err != nil {
		t.Fatal(err)
	}
	for port, want := range map[uint16]bool{0: false, 79: false, 80: true, 81: false, 443: false, 7999: false,
		8000: true, 8999: true, 9000: false, 65535: false} {
		if some.Allow(port) != want {
			t.Errorf("%d: %t", port, !want)
		}
	}
	for port, want := range map[uint16]bool{0: false, 22: false, 25: false, 80: true, 443: true, 1023: false,
		1024: true, 65535: true} {
		if (Ports{}).Allow(port) != want {
			t.Errorf("%d: %t by default", port, !want)
		}
	}
}

func TestPorts_AreAFlag(t *testing.T) {
	t.Parallel()
	var command struct {
		Allow Ports `default:"80,443,1024-65535"`
	}
	parser, err := kong.New(&command)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil || command.Allow.String() != DefaultPorts {
		t.Errorf("by default: %s, %v", command.Allow, err)
	}
	if _, err := parser.Parse([]string{"--allow", "80,8443"}); err != nil || command.Allow.String() != "80,8443" {
		t.Errorf("set: %s, %v", command.Allow, err)
	}
	if _, err := parser.Parse([]string{"--allow", "none"}); err == nil {
		t.Error("an invalid value was accepted")
	}
}
