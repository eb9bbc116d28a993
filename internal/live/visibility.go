package live

import (
	"itemcast/internal/change"
	"itemcast/internal/item"
)

// visible returns the kind and the document that a change has for the subscriber, or "" if the subscriber may not see
// it. An item that moves out of sight is LEFT, with its last visible document; one that moves into sight is ENTERED.
func (s *Subscription) visible(c *change.Change) (kind Kind, document []byte, err error) {
	seen, document, err := s.view.Of(c, func() *item.Versions { return s.hub.decoded.of(c).Versions })
	switch seen {
	case item.Whole:
		kind = Kind(c.Kind)
	case item.Entry:
		kind = Entered
	case item.Exit:
		kind = Left
	}
	return kind, document, err
}
