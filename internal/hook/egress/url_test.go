package egress

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestCheckURL_NamesTheFault(t *testing.T) {
	t.Parallel()
	const (
		ascii    = "must name its host in ASCII"
		letters  = "must name its host with letters"
		labels   = "must name a host with 1 to 63"
		number   = "must name a host; this is not an address"
		brackets = "must have brackets around an IPv6 address, and nowhere else"
		zone     = "must not have a zone"
		spaces   = "must not contain spaces or control characters"
		escape   = "must have two hexadecimal digits after each %; write % itself as %25"
		scheme   = "must begin with http:// or https://"
		port     = "must have a port from 1 to 65535, or none"
	)
	for url, want := range map[string]string{
		"": scheme, "example.com": scheme, "ftp://example.com/": scheme, "javascript:alert(1)": scheme, "//example.com/": scheme, "file:///etc/passwd": scheme,
		"gopher://127.0.0.1:6379/": scheme, "https://": "must name a host", "https:///path": "must name a host", "https://:80/": "must name a host",
		"http:example.com": "must name a host", "http://[]/": "must",
		"https://user@example.com/": "credentials", "https://u:p@example.com/": "credentials", "https://@example.com/": "credentials",
		"http://8.8.8.8@127.0.0.1/": "credentials", "http://8.8.8.8%40127.0.0.1/": "must be a URL", `http://8.8.8.8\@127.0.0.1/`: "must be a URL",
		`http://127.0.0.1\.example.com/`: "must be a URL",
		"https://example.com/#part":      "fragment", "https://example.com/#": "fragment", "http://8.8.8.8#@127.0.0.1/": "fragment",
		"https://example.com:0/": port, "https://example.com:99999/": port, "https://example.com:-1/": "must be a URL", "https://example.com:http/": "must be a URL",
		"http://8.8.8.8:80:80/": "must be a URL", "http://::1/": "must be a URL",
		"https://exa mple.com/": spaces, "https://example.com/\n": spaces, "https://example.com/\u00a0": spaces, "https://example.com/\x00": spaces,
		"https://example.com/\xff": spaces, "https://example.com/a\u2028b": spaces, "http://127.0.0.1\t/": spaces,
		"https://example.com/%zz": escape, "https://example.com/?q=%zz": escape, "https://example.com/?q=100%": escape,
		"https://example.com/?q=%2": escape, "https://example.com/%E0%A4%A": escape, "https://example.com/" + strings.Repeat("a", MaxURL): "must have at most 2000",
		"http://１２７.０.０.１/": ascii, "http://127。0。0。1/": ascii,
		"http://127｡0｡0｡1/": ascii, "http://①②⑦.0.0.1/": ascii, "http://127%E3%80%820%E3%80%820%E3%80%821/": ascii, "http://ⓛocalhost/": ascii,
		"http://loc\u00adalhost/": ascii,
		"http://%6cocalhost/":     "must be a URL", "http://%31%32%37.0.0.1/": "must be a URL", "http://a%25b/": letters, "http://a,b/": letters,
		"http://a;b/": letters, "http://*/": letters, "http://'/": letters, "http://(a)/": letters, "http://~/": letters,
		"http://a..b/": labels, "http://.example.com/": labels, "http://example.com../": labels, "http://./": labels, "http://127..1/": labels,
		"http://127.0.0.1../": labels, "http://" + strings.Repeat("a", 64) + ".com/": labels, "http://" + strings.Repeat("a.", 127) + "com/": "must name a host of at most 253",
		"http://1.2.3.4.5/": number, "http://256.1.1.1/": number, "http://08.8.8.8/": number, "http://4294967296/": number, "http://example.0x7f/": number,
		"http://1.2.3.0x100/": number, "http://example.1./": number,
		"http://[127.0.0.1]/": "must", "http://[example.com]/": "must", "http://[1]/": "must", "http://[::1/": "must be a URL",
		"http://[2606:4700::1111%25eth0]/": zone, "http://[::1%25lo]/": zone, "http://[::ffff:127.0.0.1%25lo]/": zone, "http://[::1]x/": "must be a URL",
	} {
		_, fault, refusal := Policy{}.CheckURL(url)
		if !strings.HasPrefix(fault, "must") || !strings.Contains(fault, want) || refusal != nil {
			t.Errorf("%q: got %q, %v, want %q", url, fault, refusal, want)
		}
	}
}

func TestCheckURL_AcceptsURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"http://example.com", "https://example.com:8443/a?b=c", "HTTPS://EXAMPLE.COM/", "http://[2606:4700::1111]:80/", "http://8.8.8.8/", "http://example.com:/",
		"https://xn--bcher-kva.example/", "http://localhost/", "http://localhost.:8080/", "http://my_service:8080/", "http://0x7g/", "http://a-b.c.example./",
		"https://example.com/ü?q=%20", "http://[::ffff:8.8.8.8]/", "http://[64:ff9b::808:808]/", "http://1.2.3.4.example/", "https://example.com/\\",
	} {
		if _, fault, refusal := (Policy{}).CheckURL(url); fault != "" || refusal != nil {
			t.Errorf("%q: %q, %v", url, fault, refusal)
		}
	}
}

// What browsers make of a URL, and in addition the characters that RFC 3986 does not allow are encoded.
func TestCheckURL_ReturnsTheFormThatBrowsersRequest(t *testing.T) {
	t.Parallel()
	policy := Policy{Networks: prefixes("127.0.0.0/8", "fe80::/10")}
	for raw, want := range map[string]string{
		"http://example.com":                     "http://example.com/",
		"https://example.com?a=b":                "https://example.com/?a=b",
		"HTTPS://Example.COM:443/A":              "https://example.com/A",
		"http://example.com:0080/":               "http://example.com/",
		"http://example.com:443/":                "http://example.com:443/",
		"https://example.com/?channel=Köln":      "https://example.com/?channel=K%C3%B6ln",
		"https://example.com/?channel=K%C3%B6ln": "https://example.com/?channel=K%C3%B6ln",
		`https://example.com/?q="a|b"`:           "https://example.com/?q=%22a%7Cb%22",
		"https://example.com/?q=<'`{}^\\>[]":     "https://example.com/?q=%3C%27%60%7B%7D%5E%5C%3E[]",
		"https://example.com/?q=a+b%20c&d=%zZ%":  "",
		"https://example.com/?q=a+b%20c&d=%25":   "https://example.com/?q=a+b%20c&d=%25",
		"https://example.com/?q=日本&x=😀":          "https://example.com/?q=%E6%97%A5%E6%9C%AC&x=%F0%9F%98%80",
		`https://example.com/a%2Fb/ü|"c`:         "https://example.com/a%2Fb/%C3%BC%7C%22c",
		"https://example.com/a/./b/../c//d":      "https://example.com/a/c//d",
		"https://example.com/%2e%2E/a":           "https://example.com/a",
		"https://example.com/;v=1/~a/$&,=:@":     "https://example.com/;v=1/~a/$&,=:@",
		"https://bücher.example/":                "https://xn--bcher-kva.example/",
		"https://b%C3%BCcher.example/":           "https://xn--bcher-kva.example/",
		"https://BÜCHER.example./":               "https://xn--bcher-kva.example./",
		"https://bu\u0308cher.example/":          "https://xn--bcher-kva.example/",
		"https://faß.example/":                   "https://xn--fa-hia.example/",
		"https://例え.テスト:8443/":                   "https://xn--r8jz45g.xn--zckzah:8443/",
		"http://my_service:9000/hook":            "http://my_service:9000/hook",
		"http://[::FFFF:7F00:1]:80/":             "http://[::ffff:7f00:1]/",
		"http://[fe80:0:0::1%25eth0]:8080/a|b":   "http://[fe80::1%25eth0]:8080/a%7Cb",
	} {
		normal, fault, refusal := policy.CheckURL(raw)
		if normal != want || (fault == "" && refusal == nil) != (want != "") {
			t.Errorf("%s: got %s, %q, %v, want %s", raw, normal, fault, refusal, want)
		}
		if want == "" {
			continue
		}
		if again, _, _ := policy.CheckURL(normal); again != normal || NormalizeURL(raw) != normal {
			t.Errorf("%s: again it is %s", normal, again)
		}
		if u, err := url.Parse(normal); err != nil || u.String() != normal {
			t.Errorf("%s: net/http requests %s, %v", normal, u, err)
		}
	}
	long := "https://example.com/?q=" + strings.Repeat("ü", 500)
	if _, fault, _ := policy.CheckURL(long); !strings.Contains(fault, "at most 2000 characters when it is percent-encoded") {
		t.Errorf("a long one: %q", fault)
	}
}

func TestCheckURL_RefusesEveryFormOfAnAddressThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	for url, rule := range map[string]string{
		"http://127.0.0.1/": "loopback", "https://127.0.0.1:8443/a?b=c": "loopback", "http://[::1]/": "loopback", "http://10.1.2.3/": "private",
		"http://192.168.1.1:9000/": "private", "http://169.254.169.254/latest/meta-data": "link-local",
		"http://0.0.0.0/": "unspecified", "http://0/": "unspecified", "http://0x/": "unspecified", "http://127.1/": "loopback", "http://127.0.1/": "loopback",
		"http://2130706433/": "loopback", "http://0x7f.1/": "loopback", "http://0X7F000001/": "loopback", "http://0x7f.0x0.0x0.0x1/": "loopback",
		"http://017700000001/": "loopback", "http://0177.0.0.1/": "loopback", "http://00000177.0.0.1/": "loopback", "http://127.0.0.1./": "loopback",
		"http://0x7f.1./": "loopback", "http://2852039166/": "link-local", "http://0xA9FEA9FE/": "link-local", "http://10.258/": "private",
		"http://192.168.257/": "private", "http://127.0.0.1:/": "loopback",
		"http://[::ffff:127.0.0.1]/": "loopback", "http://[::ffff:7f00:1]/": "loopback", "http://[::FFFF:7F00:1]/": "loopback",
		"http://[0:0:0:0:0:ffff:127.0.0.1]/": "loopback", "http://[0000:0000:0000:0000:0000:0000:0000:0001]/": "loopback",
		"http://[::127.0.0.1]/": "IPv4-compatible address (::/96) of 127.0.0.1", "http://[64:ff9b::127.0.0.1]/": "loopback", "http://[64:ff9b::a00:1]/": "private",
		"http://[2002:7f00:1::]/": "6to4 address (2002::/16) of 127.0.0.1", "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/": "Teredo",
		"http://[fe80::1%25eth0]/": "link-local", "http://[fd00::1]/": "unique local", "http://[::]/": "unspecified",
	} {
		_, fault, err := Policy{}.CheckURL(url)
		refusal, ok := errors.AsType[*Refusal](err)
		if fault != "" || !ok || refusal.Setting != SettingNetworks || !strings.Contains(err.Error(), rule) {
			t.Errorf("%s: got %q, %v, want the rule %q", url, fault, err, rule)
		}
	}
}

func TestCheckURL_RefusesPortsOfNames(t *testing.T) {
	t.Parallel()
	var only443 Policy
	if err := only443.Ports.UnmarshalText([]byte("443")); err != nil {
		t.Fatal(err)
	}
	for url, policy := range map[string]Policy{
		"http://example.com:22/": {}, "http://8.8.8.8:25/": {}, "https://example.com:1/": {}, "http://example.com:0025/": {}, "http://example.com/": only443,
	} {
		_, fault, err := policy.CheckURL(url)
		if refusal, ok := errors.AsType[*Refusal](err); fault != "" || !ok || refusal.Setting != SettingPorts ||
			refusal.Rule != "" {
			t.Errorf("%s: got %q, %v", url, fault, err)
		}
	}
	if _, fault, err := only443.CheckURL("https://example.com/"); fault != "" || err != nil {
		t.Errorf("got %q, %v", fault, err)
	}
}

// Go dials only the canonical form as an address. It looks other forms up as names, by the rules of the system's
// resolver.
func TestCheckURL_WantsAnAllowedAddressInItsCanonicalForm(t *testing.T) {
	t.Parallel()
	policy := Policy{Networks: prefixes("127.0.0.0/8", "fe80::/10")}
	for url, want := range map[string]string{
		"http://0x08080808/": "8.8.8.8", "http://127.1/": "127.0.0.1", "http://8.8.8.8./": "8.8.8.8", "http://010.8.8.8/": "8.8.8.8",
	} {
		_, fault, err := policy.CheckURL(url)
		if fault != "" || err == nil || err.Error() != "must write its address as "+want {
			t.Errorf("%s: got %q, %v", url, fault, err)
		}
	}
	for _, url := range []string{"http://127.0.0.1/", "http://[::ffff:7f00:1]:8080/", "http://[fe80::1%25eth0]/"} {
		if _, fault, err := policy.CheckURL(url); fault != "" || err != nil {
			t.Errorf("%s: got %q, %v", url, fault, err)
		}
	}
}
