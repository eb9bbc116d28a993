package hook

import (
	"strings"
	"testing"

	"itemcast/internal/problem"
)

func TestCreate_RefusesAURLWhoseHostIsAnAddressThatHooksMayNotReach(t *testing.T) {
	b := setup(t)
	public := NewService(b.pool, nil)
	for url, rule := range map[string]string{
		"http://127.0.0.1/": "loopback", "https://127.0.0.1:8443/a?b=c": "loopback", "http://[::1]/": "loopback", "http://10.1.2.3/": "private",
		"http://192.168.1.1:9000/": "private", "http://169.254.169.254/latest/meta-data": "link-local", "http://[::ffff:127.0.0.1]/": "loopback",
		"http://[::ffff:7f00:1]/": "loopback", "http://[64:ff9b::a00:1]/": "private", "http://[fe80::1%25eth0]/": "link-local", "http://[fd00::1]/": "unique local",
		"http://0.0.0.0/": "unspecified", "http://0/": "unspecified", "http://127.1/": "loopback", "http://2130706433/": "loopback", "http://0x7f.1/": "loopback",
		"http://0X7F000001/": "loopback", "http://0177.0.0.1/": "loopback", "http://127.0.0.1./": "loopback", "http://10.258/": "private", "http://192.168.257/": "private",
	} {
		_, _, err := public.Create(b.ctx, Input{URL: url})
		told := problem.Of(err)
		if told == nil || told.Code != problem.RuleViolated || len(told.Faults) != 1 || told.Faults[0].Pointer != "#/url" {
			t.Errorf("%s: got %v", url, err)
			continue
		}
		if detail := told.Faults[0].Detail; !strings.Contains(detail, rule) || !strings.Contains(detail, "ITEMCAST_HOOK_ALLOW_NETWORKS") {
			t.Errorf("%s: got %s, want the rule %q and the setting", url, detail, rule)
		}
	}
	for _, url := range []string{"http://8.8.8.8/", "http://[2606:4700::1111]/", "http://localhost/", "http://example.com/", "http://1.2.3.4.5/", "http://0x7g/", "http://256.1.1.1/"} {
		if _, _, err := public.Create(b.ctx, Input{URL: url}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"http://127.0.0.1/", "http://[::1]:80/"} {
		if _, _, err := b.service.Create(b.ctx, Input{URL: url}); err != nil {
			t.Errorf("%s, which is allowed: %v", url, err)
		}
	}
}

// Only the usual form of an address can be dialled; the others would be looked up as names.
func TestCreate_RefusesAnAddressThatIsWrittenInAnUnusualWay(t *testing.T) {
	b := setup(t)
	for url, want := range map[string]string{"http://0x08080808/": "8.8.8.8", "http://127.1/": "127.0.0.1"} {
		_, _, err := b.service.Create(b.ctx, Input{URL: url})
		if !problem.Is(err, problem.RuleViolated) || problem.Of(err).Faults[0].Detail != "must write the address of its host as "+want {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

func TestCreate_TellsOfARefusedAddressBesideOtherFaults(t *testing.T) {
	b := setup(t)
	_, _, err := NewService(b.pool, nil).Create(b.ctx, Input{URL: "http://10.0.0.1/", Events: []string{"other"}})
	if told := problem.Of(err); told == nil || told.Code != problem.InvalidInput || len(told.Faults) != 2 {
		t.Errorf("got %v", err)
	}
}
