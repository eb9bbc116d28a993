package web

import (
	"encoding/base64"
	"encoding/json"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// undo says how to take back what a form has done with several items. The page that reports it has a button for that.
type undo struct {
	Tag   string            `json:"t,omitempty"`
	Adds  bool              `json:"a,omitempty"` // undoing adds the tag; else it removes it
	Items map[string]string `json:"i"`           // packed ids, by the privacy that they had; "" for tags
	ids   map[string][]byte
}

func (u *undo) add(privacy string, id uuid.UUID) {
	if u.ids == nil {
		u.ids = map[string][]byte{}
	}
	u.ids[privacy] = append(u.ids[privacy], id[:]...)
}

// pack returns the undo as a cookie and a form have it; nil for nothing to undo.
func (u *undo) pack() *undo {
	if len(u.ids) == 0 {
		return nil
	}
	u.Items = map[string]string{}
	for privacy, ids := range u.ids {
		u.Items[privacy] = base64.RawURLEncoding.EncodeToString(ids)
	}
	return u
}

// shownUndo is the form that undoes.
type shownUndo struct{ Action, Back, Value string }

// undoItems takes back what an earlier form has done. What others have changed since then stays.
func (c *call) undoItems() error {
	var u undo
	if json.Unmarshal([]byte(c.value("undo")), &u) != nil {
		return problem.New(problem.BadRequest, "The form does not say what to undo.")
	}
	var all []uuid.UUID
	former := map[uuid.UUID]string{}
	for privacy, packed := range u.Items {
		raw, err := base64.RawURLEncoding.DecodeString(packed)
		if err != nil || len(raw)%16 != 0 || len(raw)/16 > maxSelected {
			return problem.New(problem.BadRequest, "The form does not say what to undo.")
		}
		for ; len(raw) > 0; raw = raw[16:] {
			id := uuid.UUID(raw[:16])
			all, former[id] = append(all, id), privacy
		}
	}
	if len(all) > maxSelected {
		return problem.New(problem.BadRequest, "At most %d items can be changed at once.", maxSelected)
	}
	return c.seeOther(c.backTo(), c.changeAll(all, "items.done.undo", func(id uuid.UUID, _ *undo) error {
		if u.Tag != "" {
			_, err := c.changeTags(id, u.Tag, u.Adds)
			return err
		}
		_, err := c.setPrivacy(id, item.Privacy(former[id]))
		return err
	}))
}
