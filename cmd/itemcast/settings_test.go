package main

import (
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// wantRefusal runs a command that must fail, name what is wrong and create nothing.
func wantRefusal(t *testing.T, environment []string, args, want []string) {
	t.Helper()
	folder := t.TempDir()
	command := nodetest.Command(t, append([]string{"ITEMCAST_DATA_DIR=" + folder + "/data", "ITEMCAST_ADDR=127.0.0.1:0",
		"ITEMCAST_OPS_ADDR="}, environment...), args...)
	command.Dir = folder
	kill := time.AfterFunc(nodetest.Timeout, func() { _ = command.Process.Kill() })
	out, err := command.CombinedOutput()
	if !kill.Stop() || err == nil {
		t.Errorf("%q %q succeeded:\n%s", environment, args, out)
	}
	for _, text := range want {
		if !strings.Contains(string(out), text) {
			t.Errorf("%q %q: %q is not in\n%s", environment, args, text, out)
		}
	}
	if lines := strings.Count(strings.TrimSpace(string(out)), "\n") + 1; lines > 1 {
		t.Errorf("%q %q: the error has %d lines:\n%s", environment, args, lines, out)
	}
	if created, err := os.ReadDir(folder); err != nil || len(created) > 0 {
		t.Errorf("%q %q created %v (%v)", environment, args, created, err)
	}
}

func TestServe_NamesTheSettingThatIsWrongAndShowsARightOne(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // after the parallel subtests
	inUse := taken.Addr().String()
	database, err := url.Parse(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	missing, refused := *database, *database
	missing.Path = "/itemcast_missing"
	refused.User = url.UserPassword("itemcast_nobody", "secret")
	for setting, cases := range map[string]map[string][]string{
		"ITEMCAST_PUBLIC_URL": {
			"items.example.com":         {"https://items.example.com", "begin"},
			"localhost:8080":            {"https://items.example.com", "begin"},
			"ftp://items.example.com":   {"https://items.example.com", "begin"},
			"https://":                  {"https://items.example.com", "host"},
			"https://a.example/?b=c":    {"https://items.example.com", "query"},
			"https://a.example/?":       {"https://items.example.com", "query"},
			"https://a.example/#b":      {"https://items.example.com", "fragment"},
			"https://a.example/my hub":  {"/hub", "escapes"},
			"https://a.example/a//b":    {"/hub", "plain"},
			"https://a.example/../b":    {"/hub", "plain"},
			"https://a.example/api":     {"/hub", "Itemcast's own"},
			"https://a.example/media":   {"/hub", "Itemcast's own"},
			"https://a:b@items.example": {"https://items.example.com", "user"},
			"https://a.example:99999":   {"https://items.example.com", "port"},
			"https://bücher.example":    {"https://items.example.com", "xn--"},
		},
		"ITEMCAST_TRUSTED_PROXIES":      {"10.0.0.1/8/8": {"10.0.0.0/8", "10.0.0.1"}, "proxy": {"10.0.0.0/8"}},
		"ITEMCAST_HOOK_ALLOW_NETWORKS":  {"private": {"10.0.0.0/8", "10.0.0.1"}},
		"ITEMCAST_HOOK_ALLOW_PORTS":     {"http": {"8000-8999"}, "0": {"8000-8999"}, "": {"8000-8999"}},
		"ITEMCAST_LOG_KEEP_FOR":         {"30": {"720h"}, "1m": {"1h"}},
		"ITEMCAST_AUDIT_KEEP_FOR":       {"a year": {"720h"}, "-1h": {"1h"}},
		"ITEMCAST_UPLOAD_MAX_SIZE":      {"much": {"20GB"}, "0": {"1MiB"}},
		"ITEMCAST_LOG_KEEP_SIZE":        {"much": {"20GB"}, "1kB": {"100MiB"}},
		"ITEMCAST_CONNECTIONS_PER_USER": {"many": {"whole number"}, "0": {"1 or more"}},
		"ITEMCAST_DATA_DIR":             {"": {".itemcast"}},
		"ITEMCAST_MEDIA_KEEP_FOR":       {"a day": {"720h"}, "0s": {"1m"}},
		"ITEMCAST_STORAGE_URL": {
			"media":                  {"file:///srv/media", "s3://bucket", "begins"},
			"https://s3.example.com": {"file:///srv/media", "s3://bucket", "begins"},
			"file://media":           {"file:///srv/media", "absolute"},
			"s3://":                  {"s3://bucket", "name a bucket"},
			"s3://bucket/folder":     {"prefix"},
			"s3://key:secret@bucket": {"AWS_ACCESS_KEY_ID"},
		},
		"ITEMCAST_ADDR":           {inUse: {inUse, "in use already", "--addr", "another address"}, "8080": {"127.0.0.1:8080"}, "203.0.113.1:80": {"127.0.0.1:8080"}},
		"ITEMCAST_OPS_ADDR":       {inUse: {inUse, "in use already", "--ops-addr", "another address"}, "8081": {"127.0.0.1:8080"}},
		"ITEMCAST_ADMIN_EMAIL":    {"nobody": {"e-mail address"}},
		"ITEMCAST_ADMIN_PASSWORD": {"short": {"at least 8 characters"}, "password1": {"common"}},
		"ITEMCAST_DATABASE_URL": {
			"foo":                               {"postgres://user:password@host:5432/itemcast"},
			"postgres://a:secret@127.0.0.1:1/b": {"127.0.0.1:1", "no Postgres answers"},
			missing.String():                    {`no database "itemcast_missing"`, "createdb"},
			refused.String():                    {`"itemcast_nobody"`},
		},
	} {
		for value, want := range cases {
			t.Run(setting+"="+value, func(t *testing.T) {
				t.Parallel()
				wantRefusal(t, []string{setting + "=" + value}, []string{"serve"}, append(want, setting))
			})
		}
	}
}

func TestServe_ErrorsOfFlagsNameTheFlag(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{"--public-url=items.example.com": "--public-url",
		"--trusted-proxies=proxy": "--trusted-proxies", "--log-keep-for=30": "--log-keep-for",
		"--admin-password=short": "--admin-password"} {
		wantRefusal(t, nil, []string{"serve", flag}, []string{want})
	}
}

func TestSettings_AreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]publicURL{"": "", "https://items.example.com/": "https://items.example.com",
		"HTTPS://Items.Example.com:443": "https://items.example.com", "http://a.example:80/hub/": "http://a.example/hub",
		"http://[::1]:8080": "http://[::1]:8080", "https://a.example:80": "https://a.example:80"} {
		var got publicURL
		if err := got.UnmarshalText([]byte(given)); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", given, got, want, err)
		}
	}
	for given, want := range map[string]string{"10.0.0.1": "10.0.0.1/32", "::1": "::1/128", "10.1.2.3/8": "10.0.0.0/8",
		"::ffff:10.0.0.1": "10.0.0.1/32"} {
		var got network
		if err := got.UnmarshalText([]byte(given)); err != nil || got.String() != want {
			t.Errorf("%s is %s, want %s (%v)", given, got, want, err)
		}
	}
}

func TestCommands_WithoutDataCreateNothing(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"user list", "user add ada@example.com", "role list", "export", "import " + writeItems(t, 1),
		"migrate"} {
		wantRefusal(t, nil, strings.Fields(args), []string{"there is no data in", "/data: start the server once",
			"ITEMCAST_DATA_DIR", "ITEMCAST_DATABASE_URL"})
	}
}

func TestCommands_WithoutARightCommandPointToHelp(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{"": "itemcast --help", "nonsense": "itemcast --help",
		"user": "itemcast user --help", "user fly": "itemcast user --help", "import": "itemcast import --help",
		"serve --nonsense": "itemcast serve --help"} {
		wantRefusal(t, nil, strings.Fields(args), []string{"(see " + want + ")"})
	}
}
