package item

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
)

// View is a Sight of changes that have been read from the log.
type View struct {
	sight  Sight
	hidden account.HiddenProfiles // as of the changes
}

// View returns the sight of changes. It reads which workflow profiles are hidden if one of the changes concerns a
// profile. The order matters: read after the changes, the answer includes every profile that they name.
func (s Sight) View(ctx context.Context, pool *pgxpool.Pool, changes []*change.Change) (View, error) {
	v := View{sight: s}
	if !slices.ContainsFunc(changes, func(c *change.Change) bool {
		return c.AccountID == s.account && (account.MayHaveProfile(c.Document) || changesProfile(c))
	}) {
		return v, nil
	}
	hidden, err := account.HiddenFrom(ctx, db.Read(ctx, pool), s.account, s.role)
	v.hidden = hidden
	return v, err
}

// Seen is what an actor sees of a change.
type Seen int

// What an actor may see of a change.
const (
	Nothing Seen = iota
	Whole        // the change as it is
	Entry        // the item came into sight; which fields the change altered, and from what, stays hidden
	Exit         // the item left the actor's sight; which fields the change altered, and to what, stays hidden
)

// MayMove reports whether a change may have moved the item in or out of the actor's sight.
func (v View) MayMove(c *change.Change) bool {
	return c.Kind == change.Updated && (!v.sight.isWhole() || len(v.hidden) > 0 && changesProfile(c))
}

// Of returns what the actor sees of a change, and the document that it has for the actor: of an Exit, the last one that
// the actor could see. The versions are decoded only if they are needed.
func (v View) Of(c *change.Change, versions func() *Versions) (seen Seen, document []byte, err error) {
	sees, err := v.shows(c, versions)
	if err != nil {
		return Nothing, nil, err
	}
	if !v.MayMove(c) {
		if !sees {
			return Nothing, nil, nil
		}
		return Whole, c.Document, nil
	}
	before := versions().Before()
	saw := v.saw(before)
	switch {
	case sees && saw:
		return Whole, c.Document, nil
	case sees:
		return Entry, c.Document, nil
	case saw:
		last := *before // shared
		document, err = Encode(&last)
		return Exit, document, err
	}
	return Nothing, nil, nil
}

// shows reports whether the actor sees the item of a change as it is after the change.
func (v View) shows(c *change.Change, versions func() *Versions) (bool, error) {
	hides, err := v.hidden.Hides(c.Document)
	if err != nil || hides {
		return false, err
	}
	return v.sight.isWhole() || v.sight.filter.Match(versions().After()), nil
}

// saw reports whether the actor saw an item as it was before a change; nil for one that cannot be decoded.
func (v View) saw(before *Item) bool {
	return before != nil && v.sight.includes(before) &&
		(before.Workflow == nil || !slices.Contains(v.hidden, before.Workflow.ProfileID))
}

// changesProfile reports whether a change may have moved the item from one workflow profile to another.
func changesProfile(c *change.Change) bool { return slices.Contains(c.ChangedFields, "workflow") }
