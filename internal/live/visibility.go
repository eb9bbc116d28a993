package live

import (
	"slices"

	"itemcast/internal/change"
	"itemcast/internal/item"
)

// changesProfile reports whether a change may have moved the item from one workflow profile to another.
func changesProfile(c *change.Change) bool { return slices.Contains(c.ChangedFields, "workflow") }

// visible returns the kind and the document that a change has for the role, or "" when the role may not see it. An item
// that moves out of the role's sight is LEFT, with its last visible document; one that moves into sight is ENTERED.
func (s *Subscription) visible(c *change.Change) (kind Kind, document []byte, err error) {
	hides, err := s.hidden.Hides(c.Document)
	if err != nil {
		return "", nil, err
	}
	if len(s.hidden) == 0 || !changesProfile(c) {
		if hides {
			return "", nil, nil
		}
		return Kind(c.Kind), c.Document, nil
	}
	before := s.hub.decoded.of(c).Before()
	wasHidden := before == nil || before.Workflow != nil && slices.Contains(s.hidden, before.Workflow.ProfileID)
	switch {
	case hides && wasHidden:
		return "", nil, nil
	case wasHidden:
		return Entered, c.Document, nil
	case hides:
		last := *before
		last.Revision = c.Revision - 1
		document, err = item.Encode(&last)
		return Left, document, err
	}
	return Kind(c.Kind), c.Document, nil
}
