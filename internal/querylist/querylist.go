// Package querylist reads parameters of a query that are arrays: tags=a,b and tags=a&tags=b both have two values.
//
// Values are divided before they are decoded. So a bare comma separates values, and an escaped one (%2C) is part of a
// value: tags=Action%2C%20Adventure has one. Every reader of such a parameter uses this package, so that the API and
// its pages agree. It must not know which parameters there are.
package querylist

import (
	"net/url"
	"strings"
)

// Split returns the values in an array's raw text, decoded. Error: a malformed escape.
func Split(raw string) ([]string, error) {
	values := strings.Split(raw, ",")
	for i, value := range values {
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		values[i] = decoded
	}
	return values, nil
}

// Parse returns a query's values. Unlike url.ParseQuery, it divides those of arrays. As url.URL.Query does, it leaves
// out what is malformed.
func Parse(raw string, isArray func(name string) bool) url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || pair == "" || strings.Contains(pair, ";") {
			continue
		}
		if isArray(name) {
			if split, err := Split(rawValue); err == nil {
				values[name] = append(values[name], split...)
			}
			continue
		}
		if value, err := url.QueryUnescape(rawValue); err == nil {
			values[name] = append(values[name], value)
		}
	}
	return values
}
