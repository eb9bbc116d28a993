package item

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// maxMedia is the contract's limit for the assets of an item, and for its snapshots.
const maxMedia = 200

// list is what assets and snapshots have in common. An Input is an entry as a client sends it, an Entry one of a
// document.
type list[Input, Entry any] struct {
	field    string
	removal  string // the call that removes an entry
	given    func(*Input) (id *uuid.UUID, url string)
	has      func(*Entry) (id uuid.UUID, url string)
	url      func(*Entry) *string
	isLike   func(*Input, *Entry) bool // the input may be for this entry, if the URL is the same
	isIntact func(*Input, *Entry) bool // the input alters nothing of a held entry, but for its id and URL
	entry    func(*Input, uuid.UUID) Entry
}

var assetList = list[AssetInput, Asset]{
	field:   "assets",
	removal: "DELETE /items/{id}/assets/{asset_id}",
	given:   func(in *AssetInput) (*uuid.UUID, string) { return in.ID, in.URL },
	has:     func(a *Asset) (uuid.UUID, string) { return a.ID, a.URL },
	url:     func(a *Asset) *string { return &a.URL },
	isLike:  func(in *AssetInput, a *Asset) bool { return in.Kind == a.Kind },
	isIntact: func(in *AssetInput, a *Asset) bool {
		return in.Kind == a.Kind && in.ContentType == a.ContentType && isUnset(in.Size, a.Size) &&
			isUnset(in.Width, a.Width) && isUnset(in.Height, a.Height) && isUnset(in.Bitrate, a.Bitrate) &&
			isUnset(in.Language, a.Language)
	},
	entry: func(in *AssetInput, id uuid.UUID) Asset {
		return Asset{
			ID: id, Kind: in.Kind, URL: in.URL, ContentType: in.ContentType, Size: in.Size, Width: in.Width,
			Height: in.Height, Bitrate: in.Bitrate, Language: in.Language,
		}
	},
}

var snapshotList = list[SnapshotInput, Snapshot]{
	field:    "snapshots",
	removal:  "DELETE /items/{id}/snapshots/{snapshot_id}",
	given:    func(in *SnapshotInput) (*uuid.UUID, string) { return in.ID, in.URL },
	has:      func(p *Snapshot) (uuid.UUID, string) { return p.ID, p.URL },
	url:      func(p *Snapshot) *string { return &p.URL },
	isLike:   func(*SnapshotInput, *Snapshot) bool { return true },
	isIntact: func(*SnapshotInput, *Snapshot) bool { return true },
	entry:    func(in *SnapshotInput, id uuid.UUID) Snapshot { return Snapshot{ID: id, URL: in.URL} },
}

// isUnset reports whether an optional field of an input leaves the entry's value as it is.
func isUnset[T comparable](in, has *T) bool { return in == nil || has != nil && *in == *has }

// merging is the merge of an input's list into the present list of an item.
type merging[Input, Entry any] struct {
	list[Input, Entry]
	service  *Service
	imported bool // a line may name files that a server holds, perhaps this one: they are external
	inputs   []Input
	held     []Entry            // present entries whose files Itemcast holds
	old      []Entry            // the other present ones
	claimed  map[uuid.UUID]bool // ids that external inputs give
	taken    map[uuid.UUID]bool // ids of entries of the result
	faults   problem.Faults
}

// merge returns the list that an item has after a write of inputs over the present list. Held entries come first and
// stay as they are, whether the inputs have them or not. An external entry has the input's id, else that of an equal
// present entry, else a new one. renamed has the ids of inputs that got another id.
func merge[Input, Entry any](
	s *Service, of list[Input, Entry], inputs []Input, present []Entry, imported bool,
) (merged []Entry, renamed map[uuid.UUID]uuid.UUID, faults problem.Faults) {
	m := merging[Input, Entry]{
		list: of, service: s, imported: imported, inputs: inputs, claimed: map[uuid.UUID]bool{},
		taken: map[uuid.UUID]bool{},
	}
	m.held, m.old = splitHeld(s, of, present)
	merged = append(make([]Entry, 0, len(m.held)+len(inputs)), m.held...)
	external := m.external()
	for _, n := range external {
		id, given := m.idOf(n), m.givenID(n)
		if m.taken[id] {
			m.faults.At(m.place(n)+"/id", "must not occur twice")
		}
		m.taken[id] = true
		if given != nil && *given != id {
			if renamed == nil {
				renamed = map[uuid.UUID]uuid.UUID{}
			}
			renamed[*given] = id
		}
		merged = append(merged, m.entry(&inputs[n], id))
	}
	if len(m.held) > 0 && len(merged) > maxMedia {
		m.faults.At("#/"+m.field, fmt.Sprintf("must be at most %d beside the %d whose files Itemcast holds",
			maxMedia-len(m.held), len(m.held)))
	}
	return merged, renamed, m.faults
}

// splitHeld separates the entries whose files Itemcast holds from the external ones.
func splitHeld[Input, Entry any](s *Service, of list[Input, Entry], all []Entry) (held, external []Entry) {
	isHeld := func(e Entry) bool { return s.holds(of.has(&e)) }
	if !slices.ContainsFunc(all, isHeld) {
		return nil, all
	}
	for _, e := range all {
		if isHeld(e) {
			held = append(held, e)
		} else {
			external = append(external, e)
		}
	}
	return held, external
}

// external returns the indexes of the inputs that are no held entries sent back.
func (m *merging[Input, Entry]) external() []int {
	all := make([]int, 0, len(m.inputs))
	for n := range m.inputs {
		at := m.heldAt(n)
		if at >= 0 {
			m.checkHeld(n, &m.held[at])
			continue
		}
		id, url := m.given(&m.inputs[n])
		if m.isForeign(url) {
			m.faults.At(m.place(n)+"/url", "must not be that of a file that Itemcast holds: it would end with the item or "+
				"asset that the file belongs to. Upload the file to this item instead")
		}
		if id != nil && !imitates(*id, url) {
			m.claimed[*id] = true
		}
		all = append(all, n)
	}
	return all
}

// heldAt returns the index of the held entry that an input means, by id, else by URL; -1 if it means none.
func (m *merging[Input, Entry]) heldAt(n int) int {
	id, url := m.given(&m.inputs[n])
	return slices.IndexFunc(m.held, func(e Entry) bool {
		heldID, heldURL := m.has(&e)
		if id != nil {
			return *id == heldID
		}
		return url == heldURL
	})
}

// checkHeld checks a held entry that an input sends back. Its URL may be that of an earlier public URL.
func (m *merging[Input, Entry]) checkHeld(n int, held *Entry) {
	id, url := m.has(held)
	_, given := m.given(&m.inputs[n])
	switch {
	case m.taken[id]:
		m.faults.At(m.place(n)+"/id", "must not occur twice")
	case !strings.HasSuffix(given, m.service.columnURL(id, url)), !m.isIntact(&m.inputs[n], held):
		m.faults.At(m.place(n), "must be as GET returns it, because Itemcast holds its file. Leave it out to keep it; "+
			m.removal+" removes it")
	}
	m.taken[id] = true
}

// isForeign reports whether a URL names a file that Itemcast holds, and that the item does not have already. Such a URL
// would work only as long as another item has the file.
func (m *merging[Input, Entry]) isForeign(url string) bool {
	return !m.imported && strings.HasPrefix(url, m.service.publicURL+MediaPath) &&
		!slices.ContainsFunc(m.old, func(e Entry) bool { _, has := m.has(&e); return has == url })
}

func (m *merging[Input, Entry]) givenID(n int) *uuid.UUID {
	id, _ := m.given(&m.inputs[n])
	return id
}

// idOf returns the id of an external input.
func (m *merging[Input, Entry]) idOf(n int) uuid.UUID {
	in := &m.inputs[n]
	given, url := m.given(in)
	if given != nil && !imitates(*given, url) {
		return *given
	}
	isFree := func(e Entry) bool {
		id, has := m.has(&e)
		return has == url && m.isLike(in, &e) && !m.taken[id] && !m.claimed[id]
	}
	if at := slices.IndexFunc(m.old, isFree); at >= 0 {
		id, _ := m.has(&m.old[at])
		return id
	}
	return uuid.Must(uuid.NewV7())
}

func (m *merging[Input, Entry]) place(n int) string { return fmt.Sprintf("#/%s/%d", m.field, n) }
