package attach

import (
	"fmt"

	"github.com/gabriel-vasile/mimetype"

	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// mayReplace refuses text that would take the place of a video or a sound. It is nearly always a subtitle file whose
// kind was forgotten, and the replaced file could no longer be fetched. Error: RULE_VIOLATED.
func (s *Service) mayReplace(held item.Held, f file, kind item.AssetKind) error {
	plays := held.Type == item.ItemTypeVideo || held.Type == item.ItemTypeAudio || held.Type == item.ItemTypeLive
	if kind != item.AssetKindSource || !plays || !isText(f) || len(s.superseded(held, item.Asset{Kind: kind})) == 0 {
		return nil
	}
	return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/kind", Detail: fmt.Sprintf("must be subtitle "+
		"for subtitles: the file is %s by its content, which cannot replace the source of an item of the type %s; send "+
		"kind=subtitle, or delete the source first", f.ContentType, held.Type)})
}

// isText reports whether a file is text of any kind, such as SubRip, that is no picture.
func isText(f file) bool {
	if f.Kind != item.ItemTypeDocument {
		return false
	}
	for of := mimetype.Lookup(f.ContentType); of != nil; of = of.Parent() {
		if of.Is("text/plain") {
			return true
		}
	}
	return false
}
