package web

import (
	"strconv"
	"strings"
	"time"
)

// visit says what a person has seen of the list: everything until a time. A visit ends when nothing has been loaded for
// a while; the next one marks what has changed since. A cookie keeps it, so that each browser knows what it has shown.
type visit struct {
	seen time.Time // everything before it was on an earlier visit; zero: this is the first one
	last time.Time // the last page of this visit
}

const (
	visitCookie   = "itemcast_visit"
	visitPause    = 30 * time.Minute // without a page, after which a new visit begins
	visitLifetime = 400 * 24 * 3600  // seconds, the longest that browsers grant (RFC 6265bis §5.5)
)

// lastVisit reads the cookie. It is the visit of one user: another one in the same browser begins anew.
func (c *call) lastVisit() visit {
	cookie, err := c.Cookie(visitCookie)
	if err != nil {
		return visit{}
	}
	parts := strings.Split(cookie.Value, ".")
	if len(parts) != 3 || parts[0] != c.visitor() {
		return visit{}
	}
	seen, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return visit{}
	}
	last, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return visit{}
	}
	v := visit{seen: time.UnixMilli(seen), last: time.UnixMilli(last)}
	if seen == 0 {
		v.seen = time.Time{}
	}
	if time.Since(v.last) > visitPause {
		v.seen = v.last
	}
	return v
}

// setVisit notes that the list has been loaded.
func (c *call) setVisit() { c.writeVisit(c.lastVisit().seen) }

// setSeen notes that everything has been seen.
func (c *call) setSeen() { c.writeVisit(time.Now()) }

func (c *call) writeVisit(seen time.Time) {
	since := int64(0)
	if !seen.IsZero() {
		since = seen.UnixMilli()
	}
	c.setCookie(visitCookie, c.visitor()+"."+strconv.FormatInt(since, 10)+"."+
		strconv.FormatInt(time.Now().UnixMilli(), 10), visitLifetime)
}

// visitor tells the users of one browser apart.
func (c *call) visitor() string { return c.actor.UserID.String()[24:] }

// markKind says why a row is marked.
type markKind int

const (
	unmarked markKind = iota
	markedNew
	markedChanged
	markKinds // their number
)

// markKeys are the keys of the marks' texts.
var markKeys = [markKinds]string{markedNew: "items.mark.new", markedChanged: "items.mark.changed"}

// mark says whether an item is new or has changed since the last visit.
func (v visit) mark(created, updated time.Time) markKind {
	switch {
	case v.seen.IsZero() || !updated.After(v.seen):
		return unmarked
	case created.After(v.seen):
		return markedNew
	}
	return markedChanged
}
