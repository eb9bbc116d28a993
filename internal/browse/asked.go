package browse

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The parameters of a page itself. They never reach the API.
const (
	formatParameter = "format" // json: the plain answer; html: the page
	searchParameter = "q"      // of the index: operations to find
	showParameter   = "op"     // of the index: the operation to document
	filterParameter = "_filter"
)

const formType = "application/x-www-form-urlencoded"

// cutFormat takes the parameter format out of a request, when it is one of the two words that are meant for us.
func cutFormat(r *http.Request) (*http.Request, string) {
	if !strings.Contains(r.URL.RawQuery, formatParameter+"=") {
		return r, ""
	}
	format := ""
	var rest []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		switch pair {
		case formatParameter + "=json", formatParameter + "=html":
			_, format, _ = strings.Cut(pair, "=")
		default:
			rest = append(rest, pair)
		}
	}
	if format == "" {
		return r, ""
	}
	return withQuery(r, strings.Join(rest, "&")), format
}

// withQuery is a copy of a request with another query, and a header of its own.
func withQuery(r *http.Request, query string) *http.Request {
	changed := new(http.Request)
	*changed = *r
	changed.URL = new(url.URL)
	*changed.URL = *r.URL
	changed.URL.RawQuery = query
	changed.Header = r.Header.Clone()
	return changed
}

// cutOwn takes the index page's own parameters out of a query.
func cutOwn(query url.Values, names ...string) (rest, own url.Values) {
	rest, own = url.Values{}, url.Values{}
	for name, values := range query {
		to := rest
		for _, one := range names {
			if name == one {
				to = own
			}
		}
		to[name] = values
	}
	return rest, own
}

// cleanFilter makes of what a browser sends for a filter form the query that a client would write: without what was left empty.
func cleanFilter(op *operation, given url.Values) string {
	clean := url.Values{}
	for i := range op.filter {
		f := &op.filter[i]
		if f.Kind == kindPairs {
			keys, values := given["_key."+f.Prefix], given["_value."+f.Prefix]
			for n := range min(len(keys), len(values)) {
				if key := strings.TrimSpace(keys[n]); key != "" {
					clean.Set(f.Prefix+key, values[n])
				}
			}
			continue
		}
		if values := f.query(given[f.Name]); len(values) > 0 {
			clean[f.Name] = values
		}
	}
	return readable(clean)
}

// query is what was typed, as a query has it.
func (f *field) query(typed []string) []string {
	var values []string
	for _, value := range typed {
		value = strings.TrimSpace(value)
		if f.Kind == kindTime {
			value = inUTC(value)
		}
		parts := []string{value}
		switch f.Kind {
		case kindLines:
			parts = strings.Split(value, "\n")
		case kindCommas:
			parts = strings.Split(value, ",")
		}
		for _, part := range parts {
			if part = strings.TrimSpace(part); part != "" {
				values = append(values, part)
			}
		}
	}
	if len(values) > 1 && !f.explode {
		return []string{strings.Join(values, ",")}
	}
	return values
}

// readable encodes a query with its commas and colons as they are, which need no escape in one (RFC 3986 §3.4).
func readable(query url.Values) string {
	return strings.NewReplacer("%2C", ",", "%3A", ":").Replace(query.Encode())
}

// inUTC completes what a browser's field for times gives: it knows no time zone, and its label says UTC.
func inUTC(value string) string {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05.999"} {
		if at, err := time.Parse(layout, value); err == nil {
			return at.Format(time.RFC3339Nano)
		}
	}
	return value
}

// local is a time as such a field shows it; as it is when it is none.
func local(value string) (string, bool) {
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return value, value == ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.999"), true
}

// isForm reports whether a browser has sent one of our forms.
func isForm(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), formType)
}
