package egress

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DefaultPorts are the ports of web servers, and those that any user may bind. Below 1024 are mail servers, remote
// shells and the like; some of them execute an HTTP request as commands.
const DefaultPorts = "80,443,1024-65535"

// Ports is a set of ports, written like DefaultPorts. The zero value is the default set.
type Ports struct {
	ranges []portRange // sorted, and not adjacent
}

type portRange struct{ first, last uint16 }

var defaultRanges = []portRange{{80, 80}, {443, 443}, {1024, 65535}}

func (p Ports) list() []portRange {
	if p.ranges == nil {
		return defaultRanges
	}
	return p.ranges
}

// Allow reports whether port is in the set.
func (p Ports) Allow(port uint16) bool {
	for _, r := range p.list() {
		if r.first <= port && port <= r.last {
			return true
		}
	}
	return false
}

// UnmarshalText parses ports and ranges, separated by commas.
func (p *Ports) UnmarshalText(text []byte) error {
	var ranges []portRange
	for part := range strings.SplitSeq(string(text), ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err := parsePort(first)
		to, err2 := parsePort(last)
		if err != nil || err2 != nil || from > to {
			return fmt.Errorf("%q must be a port from 1 to 65535 or a range such as 8000-8999", part)
		}
		ranges = append(ranges, portRange{from, to})
	}
	p.ranges = merge(ranges)
	return nil
}

// merge sorts ranges, and joins those that overlap or touch.
func merge(ranges []portRange) []portRange {
	slices.SortFunc(ranges, func(a, b portRange) int { return cmp.Compare(a.first, b.first) })
	merged := ranges[:1]
	for _, r := range ranges[1:] {
		if last := &merged[len(merged)-1]; int(r.first) <= int(last.last)+1 {
			last.last = max(last.last, r.last)
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

func parsePort(text string) (uint16, error) {
	port, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err == nil && port == 0 {
		err = strconv.ErrRange
	}
	return uint16(port), err
}

// MarshalText is the inverse of UnmarshalText.
func (p Ports) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func (p Ports) String() string {
	var parts []string
	for _, r := range p.list() {
		part := strconv.Itoa(int(r.first))
		if r.last > r.first {
			part += "-" + strconv.Itoa(int(r.last))
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}
