package validate

import "time"

// Time checks that a time can be written with a year of four digits, as RFC 3339 requires, after its conversion to UTC.
// The first and last hours of years 1 and 9999 leave that range by their offset.
func Time(t time.Time) string {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return "must be in the years 1 to 9999 in UTC"
	}
	return ""
}
