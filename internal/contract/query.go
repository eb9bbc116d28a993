package contract

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"itemcast/internal/nearest"
	"itemcast/internal/problem"
	"itemcast/internal/querylist"
	"itemcast/internal/validate"
)

// maxParameters limits the parameters of one request. Those with a prefix have no other limit. It leaves room for each
// array of the contract with all its values in repeated parameters.
const maxParameters = 500

// maxShownName limits, in bytes, how much of a client's parameter name a fault repeats.
const maxShownName = 100

// query checks the query of one operation.
type query struct {
	byName   map[string]*parameter
	prefixed []*parameter
	objects  []object
	required []*parameter
}

// object is a parameter of the style deepObject, whose members name[KEY] are read as prefix+KEY (x-same-as).
type object struct{ begin, prefix string }

// canonical returns the name under which a parameter is known.
func (q *query) canonical(name string) string {
	for _, o := range q.objects {
		rest, found := strings.CutPrefix(name, o.begin)
		if key, closed := strings.CutSuffix(rest, "]"); found && closed {
			return o.prefix + key
		}
	}
	return name
}

func (q *query) add(p *parameter) {
	if p.prefix != "" {
		q.prefixed = append(q.prefixed, p)
		return
	}
	q.byName[p.name] = p
	if p.required {
		q.required = append(q.required, p)
	}
}

// find returns the parameter that matches a name.
func (q *query) find(name string) *parameter {
	if p := q.byName[name]; p != nil {
		return p
	}
	for _, p := range q.prefixed {
		if len(name) > len(p.prefix) && strings.HasPrefix(name, p.prefix) {
			return p
		}
	}
	return nil
}

// check returns the request for the handler. In it each value of an array is a parameter of its own, because generated
// code would divide values after decoding them, and each parameter has its canonical name.
func (q *query) check(r *http.Request) (*http.Request, problem.Faults, error) {
	if r.URL.RawQuery == "" && len(q.required) == 0 {
		return r, nil, nil
	}
	given, names, faults := q.parse(r.URL.RawQuery)
	if given == nil {
		return nil, nil, problem.New(problem.BadRequest, "A request has at most %d parameters.", maxParameters)
	}
	for _, name := range names {
		values, p := given[name], q.find(name)
		switch {
		case p == nil:
			faults.Of(shorten(name), q.unknown(name, len(faults)))
			continue
		case len(values) > 1 && !p.array:
			faults.Of(shorten(name), "must be given only once")
			continue
		}
		faults.Add(p.faults(shorten(name), values)...)
	}
	for _, p := range q.required {
		if len(given[p.name]) == 0 {
			faults.Of(p.name, "is required")
		}
	}
	// Only a comma divides a value, and only brackets, plain or escaped (%5B, %5D), make a name another one.
	if strings.ContainsAny(r.URL.RawQuery, ",]") || strings.Contains(r.URL.RawQuery, "%5") {
		r = withQuery(r, given.Encode())
	}
	return r, faults, nil
}

// parse parses a query and reports what package url ignores: malformed escapes, and semicolons. The names are in the
// order of the query. It returns nil values if there are more than maxParameters.
func (q *query) parse(raw string) (url.Values, []string, problem.Faults) {
	if strings.Count(raw, "&") >= maxParameters {
		return nil, nil, nil
	}
	values := url.Values{}
	var names []string
	var faults problem.Faults
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			faults.Of(shorten(rawName), "has a malformed %-escape in its name")
			continue
		}
		name = q.canonical(name)
		decoded, err := q.decode(name, rawValue)
		flaw := validate.Storable(name)
		switch {
		case err != nil:
			flaw = "has a malformed %-escape"
		case strings.Contains(pair, ";"):
			flaw = "must have semicolons escaped as %3B"
		}
		if flaw != "" {
			faults.Of(shorten(name), flaw)
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		values[name] = append(values[name], decoded...)
	}
	return values, names, faults
}

// unknown describes an unknown parameter. Faults that no answer shows get no suggestion.
func (q *query) unknown(name string, before int) string {
	const detail = "unknown parameter"
	if before >= problem.MaxFaults {
		return detail
	}
	known := slices.Collect(maps.Keys(q.byName))
	if _, key, _ := strings.Cut(name, "."); key != "" {
		for _, p := range q.prefixed {
			known = append(known, p.prefix+key)
		}
	}
	return detail + nearest.DidYouMean(name, known)
}

// decode returns the values in a parameter's raw text: one, or any number for an array.
func (q *query) decode(name, raw string) ([]string, error) {
	if p := q.find(name); p != nil && p.array {
		return querylist.Split(raw)
	}
	value, err := url.QueryUnescape(raw)
	return []string{value}, err
}

func withQuery(r *http.Request, raw string) *http.Request {
	changed := new(http.Request)
	*changed = *r
	changed.URL = new(url.URL)
	*changed.URL = *r.URL
	changed.URL.RawQuery = raw
	return changed
}

// shorten prepares a client's text for an answer.
func shorten(name string) string {
	if len(name) > maxShownName {
		name = name[:maxShownName] + "…"
	}
	return strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", "\uFFFD"), "\uFFFD")
}
