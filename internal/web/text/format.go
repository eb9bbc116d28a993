package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number writes an integer with its thousands apart.
func (l *Language) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + l.group + digits[at:]
	}
	return sign + digits
}

// Size writes a number of bytes in the unit that fits, by powers of 1000.
func (l *Language) Size(bytes int64) string {
	if bytes < 1000 {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	value, unit := float64(bytes), 0
	for value >= 999.5 && unit < 4 {
		value /= 1000
		unit++
	}
	precision := 0
	if value < 9.95 {
		precision = 1
	}
	written := strings.Replace(strconv.FormatFloat(value, 'f', precision, 64), ".", l.decimal, 1)
	return written + " " + []string{"B", "kB", "MB", "GB", "TB"}[unit]
}

// Duration writes seconds as players do: 1:02:03, or 2:03 below an hour.
func Duration(seconds float64) string {
	whole := int64(seconds + 0.5)
	if whole >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", whole/3600, whole/60%60, whole%60)
	}
	return fmt.Sprintf("%d:%02d", whole/60, whole%60)
}

// Time writes a time in UTC. Where scripts run, the pages replace it by the time of the browser's zone.
func (l *Language) Time(t time.Time) string { return t.UTC().Format(l.date) + " UTC" }

// Percent writes a part of a whole in percent, with one decimal where it is neither nothing nor all. 100 % is all.
func (l *Language) Percent(part, whole int64) string {
	if whole == 0 || part == 0 {
		return "0 %"
	}
	if part >= whole {
		return "100 %"
	}
	tenths := min((part*1000+whole/2)/whole, 999)
	return strconv.FormatInt(tenths/10, 10) + l.decimal + strconv.FormatInt(tenths%10, 10) + " %"
}

// Latency writes a time in milliseconds, from ten seconds on in seconds.
func (l *Language) Latency(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return l.Number(int64(d.Round(time.Second)/time.Second)) + " s"
	case d >= 10*time.Millisecond:
		return l.Number(int64(d.Round(time.Millisecond)/time.Millisecond)) + " ms"
	}
	tenths := int64(d.Round(100*time.Microsecond) / (100 * time.Microsecond))
	return strconv.FormatInt(tenths/10, 10) + l.decimal + strconv.FormatInt(tenths%10, 10) + " ms"
}
