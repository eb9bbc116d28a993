package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

func TestParse_ReturnsWhatTheTicketAllows(t *testing.T) {
	t.Parallel()
	of := terms()
	got, err := parse(of, claims(t, map[string]any{"max_size": 10, "content_types": []string{"video/*", "image/png"},
		"redirect": "https://app.example/thanks", "client_data": map[string]any{"order": 7}}))
	if err != nil {
		t.Fatal(err)
	}
	if got.Profile != profile || got.Account != of.Account || got.Nonce != "a nonce" || got.Limit != 10 ||
		!got.Expires.Equal(now.Add(time.Hour)) || got.Redirect != "https://app.example/thanks" ||
		string(got.ClientData) != `{"order":7}` || got.Item != nil {
		t.Errorf("got %+v", got)
	}
	least, err := parse(of, claims(t, map[string]any{"redirect": nil, "max_size": nil}))
	if err != nil || least.Limit != 1000 || least.Redirect != "" || !least.Allows("text/x-whatever") {
		t.Errorf("got %+v, %v", least, err)
	}
	if of.MaxSize = 0; least.Limit != 1000 {
		t.Error("the ticket changes with the terms")
	}
	if free, err := parse(of, claims(t, nil)); err != nil || free.Limit != 0 {
		t.Errorf("without a limit: got %d, %v", free.Limit, err)
	}
}

func TestParse_ATicketOnlyNarrowsItsProfile(t *testing.T) {
	t.Parallel()
	of := terms()
	of.ContentTypes = []string{"video/*", "image/png"}
	got, err := parse(of, claims(t, map[string]any{"max_size": 5000, "content_types": []string{"video/mp4", "image/*", "audio/*"}}))
	if err != nil || got.Limit != 1000 {
		t.Fatalf("got %d, %v", got.Limit, err)
	}
	for contentType, want := range map[string]bool{
		"video/mp4": true, "VIDEO/MP4; codecs=avc1": true, "image/png": true,
		"video/webm": false, "image/jpeg": false, "audio/mpeg": false, "": false, "video": false, "video/": false, "*/*": false,
	} {
		if got.Allows(contentType) != want {
			t.Errorf("%q: allowed is %v", contentType, !want)
		}
	}
}

func TestParse_TwoSecretsHoldDuringARotation(t *testing.T) {
	t.Parallel()
	info := ticket.Encode(claims(t, nil))
	for name, c := range map[string]struct {
		change func(of *ticket.Terms)
		secret string
		at     time.Time
		holds  bool
	}{
		"the current one":           {nil, secret, now, true},
		"the old one":               {nil, oldSecret, now, true},
		"the old one, at its end":   {nil, oldSecret, now.Add(time.Hour), false},
		"the old one, revoked":      {func(of *ticket.Terms) { of.OldSecret, of.OldSecretUntil = "", time.Time{} }, oldSecret, now, false},
		"another one":               {nil, "icu_ANOTHER", now, false},
		"none, and none there":      {func(of *ticket.Terms) { of.Secret, of.OldSecret = "", "" }, "", now, false},
		"none":                      {nil, "", now, false},
		"the secret without prefix": {nil, strings.TrimPrefix(secret, "icu_"), now, false},
	} {
		of := terms()
		if c.change != nil {
			c.change(&of)
		}
		_, err := ticket.Parse(info, ticket.Signature(info, c.secret), c.at, known(of))
		if signed := !problem.Is(err, problem.TicketInvalid); signed != c.holds {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// otherDigit returns another hexadecimal digit.
func otherDigit(digit rune) rune {
	if digit == 'a' {
		return 'b'
	}
	return 'a'
}

// Every answer before the signature holds is the same for whoever guesses, and repeats nothing of the ticket.
func TestParse_NothingOfATicketIsTrustedOrRepeatedBeforeItsSignatureHolds(t *testing.T) {
	t.Parallel()
	const mark = "MARKED"
	valid := claims(t, map[string]any{"nonce": mark})
	info := ticket.Encode(valid)
	other := terms()
	other.Profile, other.Secret = uuid.New(), "icu_OTHERS"
	disabled := terms()
	disabled.Enabled = false
	asText := func(s string) string { return ticket.Encode([]byte(s)) }
	signature := ticket.Signature(info, secret)
	for name, c := range map[string]struct {
		info, signature string
		of              ticket.Terms
		want            problem.Code
		text            string
	}{
		"by another profile's secret":  {info, ticket.Signature(info, other.Secret), terms(), problem.TicketInvalid, "does not match"},
		"of an unknown profile":        {info, signature, other, problem.TicketInvalid, "does not match"},
		"altered":                      {ticket.Encode(append(valid[:len(valid)-1:len(valid)-1], []byte(`,"max_size":1}`)...)), signature, terms(), problem.TicketInvalid, "does not match"},
		"with an altered signature":    {info, strings.Map(otherDigit, signature), terms(), problem.TicketInvalid, "does not match"},
		"of a disabled one, by chance": {info, strings.Repeat("0", 64), disabled, problem.TicketInvalid, "does not match"},
		"expired, and not signed":      {ticket.Encode(claims(t, map[string]any{"expires": 1, "nonce": mark})), signature, terms(), problem.TicketInvalid, "does not match"},
		"a fault, and not signed":      {ticket.Encode(claims(t, map[string]any{mark: 1})), signature, terms(), problem.TicketInvalid, "does not match"},
		"no profile":                   {asText(`{"profiel":"` + mark + `"}`), signature, terms(), problem.TicketInvalid, "names no profile"},
		"a profile that is no id":      {asText(`{"profile":"` + mark + `"}`), signature, terms(), problem.TicketInvalid, "names no profile"},
		"a profile in braces":          {asText(`{"profile":"{` + profile.String() + `}"}`), signature, terms(), problem.TicketInvalid, "names no profile"},
		"a profile that is a number":   {asText(`{"profile":7}`), signature, terms(), problem.TicketInvalid, "names no profile"},
		"no JSON":                      {asText(mark), signature, terms(), problem.TicketInvalid, "not valid JSON"},
		"cut off":                      {asText(`{"` + mark + `":`), signature, terms(), problem.TicketInvalid, "not valid JSON: unexpected end"},
		"a list":                       {asText(`["` + mark + `"]`), signature, terms(), problem.TicketInvalid, "a JSON object"},
		"null":                         {asText(`null`), signature, terms(), problem.TicketInvalid, "a JSON object"},
		"duplicate keys":               {asText(`{"profile":"` + profile.String() + `","` + mark + `":1,"` + mark + `":2}`), signature, terms(), problem.TicketInvalid, "duplicate name"},
		"invalid UTF-8":                {asText("{\"" + mark + "\":\"\xff\"}"), signature, terms(), problem.TicketInvalid, "invalid UTF-8"},
		"U+0000":                       {asText(`{"` + mark + `":"\u0000"}`), signature, terms(), problem.TicketInvalid, "cannot be stored"},
		"deep":                         {asText(`{"` + mark + `":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`), signature, terms(), problem.TicketInvalid, "32 levels"},
		"two values":                   {asText(`{} {"` + mark + `":1}`), signature, terms(), problem.TicketInvalid, "text after the value"},
		"huge":                         {strings.Repeat("A", ticket.MaxInfo+4), signature, terms(), problem.TicketInvalid, "at most 65536 characters"},
		"padding":                      {info + "==", signature, terms(), problem.TicketInvalid, "remove the ="},
		"plain base64":                 {info + "+/", signature, terms(), problem.TicketInvalid, "write - for +"},
		"a line break":                 {info[:10] + "\r\n" + info[10:], signature, terms(), problem.TicketInvalid, "line breaks"},
		"a space":                      {info + " ", signature, terms(), problem.TicketInvalid, "without spaces"},
		"half a byte":                  {"A", signature, terms(), problem.TicketInvalid, "whole bytes"},
		"unused bits":                  {"QR", signature, terms(), problem.TicketInvalid, "whole bytes"},
		"two of them, joined":          {info + ", " + info, signature, terms(), problem.TicketInvalid, "two values"},
		"a short signature":            {info, signature[1:], terms(), problem.TicketInvalid, "64 lower-case hexadecimal digits"},
		"a long signature":             {info, signature + "00", terms(), problem.TicketInvalid, "64 lower-case hexadecimal digits"},
		"an upper-case signature":      {info, strings.Repeat("AB", 32), terms(), problem.TicketInvalid, "lower case"},
		"a signature in base64":        {info, strings.Repeat("z", 64), terms(), problem.TicketInvalid, "64 lower-case hexadecimal digits"},
		"two signatures, joined":       {info, signature + ", " + signature, terms(), problem.TicketInvalid, "two values"},
		"no info":                      {"", signature, terms(), problem.TicketMissing, "has no itemcast-upload-info"},
		"no signature":                 {info, "", terms(), problem.TicketMissing, "has no itemcast-upload-signature"},
		"neither":                      {"", "", terms(), problem.TicketMissing, "itemcast-upload-info"},
	} {
		_, err := ticket.Parse(c.info, c.signature, now, known(c.of))
		wantProblem(t, name, err, c.want, c.text)
		if err != nil && (strings.Contains(err.Error(), mark) || strings.Contains(err.Error(), profile.String())) {
			t.Errorf("%s: the answer repeats the ticket: %v", name, err)
		}
	}
}

func TestParse_OneAnswerNamesAllFaultsOfASignedTicket(t *testing.T) {
	t.Parallel()
	week := now.Add(ticket.Lifetime).Unix()
	for name, c := range map[string]struct {
		members string // beside the profile
		text    string
		places  []string
	}{
		"unknown fields":         {`"expires":%d,"nonce":"a","redirct":"x","admin":true`, "did you mean redirect?", []string{"#/redirct", "#/admin"}},
		"nothing":                {`"item":{}`, "is missing", []string{"#/expires", "#/nonce"}},
		"null":                   {`"expires":null,"nonce":null`, "is missing", []string{"#/expires", "#/nonce"}},
		"a float":                {`"expires":%d.0,"nonce":"a"`, "without a fraction", []string{"#/expires"}},
		"an exponent":            {`"expires":1.8e9,"nonce":"a"`, "without a fraction", []string{"#/expires"}},
		"text for a number":      {`"expires":"%d","nonce":"a"`, "must be a number", []string{"#/expires"}},
		"a negative time":        {`"expires":-%d,"nonce":"a"`, "from 1 to", []string{"#/expires"}},
		"beyond int64":           {`"expires":99999999999999999999,"nonce":"a"`, "from 1 to", []string{"#/expires"}},
		"milliseconds":           {`"expires":%d000,"nonce":"a"`, "not in milliseconds", []string{"#/expires"}},
		"eight days ahead":       {fmt.Sprintf(`"expires":%d,"nonce":"a"`, week+86400), "at most 604800 seconds ahead", []string{"#/expires"}},
		"a second too far":       {fmt.Sprintf(`"expires":%d,"nonce":"a"`, week+1), "at most 604800 seconds ahead", []string{"#/expires"}},
		"a number for a nonce":   {`"expires":%d,"nonce":7`, "must be text", []string{"#/nonce"}},
		"an empty nonce":         {`"expires":%d,"nonce":""`, "from 1 to 128 characters", []string{"#/nonce"}},
		"a long nonce":           {`"expires":%d,"nonce":"` + strings.Repeat("a", 129) + `"`, "from 1 to 128 characters", []string{"#/nonce"}},
		"an invisible nonce":     {`"expires":%d,"nonce":"a\u202eb"`, "invisible", []string{"#/nonce"}},
		"sizes":                  {`"expires":%d,"nonce":"a","max_size":0`, "from 1 to", []string{"#/max_size"}},
		"a size that is a float": {`"expires":%d,"nonce":"a","max_size":1.0`, "without a fraction", []string{"#/max_size"}},
		"a size as text":         {`"expires":%d,"nonce":"a","max_size":"1 GB"`, "must be a number", []string{"#/max_size"}},
		"content types": {`"expires":%d,"nonce":"a","content_types":["Video/MP4","*/*","video/mp4;codecs=x",1,"video/mp4"]`,
			"lower case", []string{"#/content_types/0", "#/content_types/1", "#/content_types/2", "#/content_types/3"}},
		"no content types":     {`"expires":%d,"nonce":"a","content_types":[]`, "1 to 20", []string{"#/content_types"}},
		"a content type alone": {`"expires":%d,"nonce":"a","content_types":"video/mp4"`, "must be a list", []string{"#/content_types"}},
		"an unlisted redirect": {`"expires":%d,"nonce":"a","redirect":"https://evil.example/"`, "redirects of the profile", []string{"#/redirect"}},
		"below a listed one":   {`"expires":%d,"nonce":"a","redirect":"https://app.example/thanks/.."`, "redirects of the profile", []string{"#/redirect"}},
		"a redirect as a list": {`"expires":%d,"nonce":"a","redirect":["https://app.example/thanks"]`, "redirects of the profile", []string{"#/redirect"}},
		"client data as text":  {`"expires":%d,"nonce":"a","client_data":"x"`, "must be a JSON object", []string{"#/client_data"}},
		"an item as a list":    {`"expires":%d,"nonce":"a","item":[]`, "must be a JSON object", []string{"#/item"}},
		"an item to publish":   {`"expires":%d,"nonce":"a","item":{"privacy":"public"}`, "does not let tickets publish", []string{"#/item/privacy"}},
		"an item of another profile": {`"expires":%d,"nonce":"a","item":{"workflow_profile_id":"01890a5d-ac96-774b-bcce-b302099a8058"}`,
			"the ticket's profile", []string{"#/item/workflow_profile_id"}},
		"an item of no profile": {`"expires":%d,"nonce":"a","item":{"workflow_profile_id":null}`, "the ticket's profile", []string{"#/item/workflow_profile_id"}},
		"client data twice":     {`"expires":%d,"nonce":"a","client_data":{},"item":{"client_data":{}}`, "given twice", []string{"#/client_data"}},
		"many": {`"expires":"soon","nonce":[],"max_size":-1,"x":1`, "(and 3 more; see errors)",
			[]string{"#/x", "#/expires", "#/nonce", "#/max_size"}},
	} {
		members := c.members
		if strings.Contains(members, "%d") {
			members = fmt.Sprintf(members, now.Add(time.Hour).Unix())
		}
		_, err := parse(terms(), []byte(`{"profile":"`+profile.String()+`",`+members+`}`))
		wantProblem(t, name, err, problem.TicketInvalid, c.text, c.places...)
	}
}

func TestParse_EndsOnTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead time.Duration
		want  problem.Code
	}{
		"a second ahead": {time.Second, ""}, "now": {0, problem.TicketExpired}, "an hour ago": {-time.Hour, problem.TicketExpired},
		"seven days ahead": {ticket.Lifetime, ""}, "a second more": {ticket.Lifetime + time.Second, problem.TicketInvalid},
	} {
		_, err := parse(terms(), claims(t, map[string]any{"expires": now.Add(c.ahead).Unix()}))
		if got := problem.Of(err); (got == nil) != (c.want == "") || got != nil && got.Code != c.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := parse(terms(), claims(t, map[string]any{"expires": now.Add(-time.Hour).Unix()}))
	wantProblem(t, "an expired one", err, problem.TicketExpired,
		"expired at 2026-11-27T19:00:00Z, and it is 2026-11-27T20:00:00Z. Get a new one")
}

func TestParse_AProfileThatTakesNoUploadsSaysSoToItsOwnTicketsOnly(t *testing.T) {
	t.Parallel()
	of := terms()
	of.Enabled = false
	_, err := parse(of, claims(t, map[string]any{"expires": 1}))
	wantProblem(t, "disabled", err, problem.UploadsDisabled, "takes no uploads")
}

func TestParse_PassesOnAFailureToReadTheProfile(t *testing.T) {
	t.Parallel()
	info := ticket.Encode(claims(t, nil))
	_, err := ticket.Parse(info, ticket.Signature(info, secret), now,
		func(uuid.UUID) (ticket.Terms, error) { return ticket.Terms{}, errDatabase })
	if err == nil || problem.Of(err) != nil {
		t.Errorf("got %v", err)
	}
}

func TestSent_IsOneTicket(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		infos, signatures []string
		want              problem.Code
	}{
		"one": {[]string{"a"}, []string{"b"}, ""}, "none": {nil, nil, problem.TicketMissing},
		"no signature": {[]string{"a"}, nil, problem.TicketMissing}, "empty": {[]string{""}, []string{""}, problem.TicketMissing},
		"two": {[]string{"a", "a"}, []string{"b", "b"}, problem.TicketInvalid}, "two signatures": {[]string{"a"}, []string{"b", "c"}, problem.TicketInvalid},
	} {
		info, signature, err := ticket.Sent(c.infos, c.signatures)
		got := problem.Of(err)
		if (got == nil) != (c.want == "") || got != nil && got.Code != c.want || got == nil && info+signature != "ab" {
			t.Errorf("%s: got %q, %q, %v", name, info, signature, err)
		}
	}
}

func TestItemInput_HasTheTicketsProfileAndData(t *testing.T) {
	t.Parallel()
	end := `"workflow_profile_id":"` + profile.String() + `"}`
	for name, c := range map[string]struct{ members, want string }{
		"no item":     {`"client_data":{"b":1.50, "a":2}`, `{"name":"clip.mp4","client_data":{"b":1.50, "a":2},` + end},
		"an item":     {`"item":{"tags":["a"],"name":"Mine","client_data":{"x":1e2}}`, `{"tags":["a"],"name":"Mine","client_data":{"x":1e2},` + end},
		"nulls":       {`"item":{"name":null,"client_data":null},"client_data":{}`, `{"name":"clip.mp4","client_data":{},` + end},
		"the profile": {`"item":{"workflow_profile_id":"` + strings.ToUpper(profile.String()) + `"},"client_data":null`, `{"name":"clip.mp4",` + end},
	} {
		raw := fmt.Sprintf(`{"profile":%q,"expires":%d,"nonce":"a",%s}`, profile, now.Add(time.Hour).Unix(), c.members)
		got, err := parse(terms(), []byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if input, err := got.ItemInput("clip.mp4"); err != nil || string(input) != c.want {
			t.Errorf("%s: got %s, %v, want %s", name, input, err, c.want)
		}
	}
	publishing := terms()
	publishing.Publish = true
	if _, err := parse(publishing, claims(t, map[string]any{"item": map[string]any{"privacy": "public"}})); err != nil {
		t.Errorf("of a profile that may publish: %v", err)
	}
}

func TestRedirectTo_NamesTheNewItems(t *testing.T) {
	t.Parallel()
	a, b := uuid.New(), uuid.New()
	for redirect, want := range map[string]string{
		"https://app.example/thanks":         "https://app.example/thanks?item=" + a.String() + "&item=" + b.String(),
		"https://app.example/done?from=form": "https://app.example/done?from=form&item=" + a.String() + "&item=" + b.String(),
	} {
		got, err := parse(terms(), claims(t, map[string]any{"redirect": redirect}))
		if err != nil || got.RedirectTo(a, b) != want {
			t.Errorf("got %s, %v", got.RedirectTo(a, b), err)
		}
	}
}

func TestNewSecret_IsLongAndRecognizable(t *testing.T) {
	t.Parallel()
	a, b := ticket.NewSecret(), ticket.NewSecret()
	if a == b || !strings.HasPrefix(a, "icu_") || len(a) != 4+52 {
		t.Errorf("got %s and %s", a, b)
	}
}

func TestAllowsOrigin_IsExact(t *testing.T) {
	t.Parallel()
	of := terms()
	for origin, want := range map[string]bool{"https://app.example": true, "http://app.example": false, "": false,
		"null": false, "https://app.example:8443": false, "https://app.example.evil": false} {
		if of.AllowsOrigin(origin) != want {
			t.Errorf("%q: allowed is %v", origin, !want)
		}
	}
}
