package item

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// toAssets converts inputs into assets. old are the item's present assets.
func toAssets(inputs []AssetInput, old []Asset) ([]Asset, problem.Faults) {
	ids, faults := assignIDs("assets", inputs, old,
		func(in AssetInput) *uuid.UUID { return in.ID },
		func(a Asset) uuid.UUID { return a.ID },
		func(in AssetInput, a Asset) bool { return a.URL == in.URL && a.Kind == in.Kind })
	assets := make([]Asset, len(inputs))
	for n, in := range inputs {
		assets[n] = Asset{
			ID: ids[n], Kind: in.Kind, URL: in.URL, ContentType: in.ContentType, Size: in.Size, Width: in.Width,
			Height: in.Height, Bitrate: in.Bitrate, Language: in.Language,
		}
	}
	return assets, faults
}

// toSnapshots converts inputs into snapshots. old are the item's present snapshots.
func toSnapshots(inputs []SnapshotInput, old []Snapshot) ([]Snapshot, problem.Faults) {
	ids, faults := assignIDs("snapshots", inputs, old,
		func(in SnapshotInput) *uuid.UUID { return in.ID },
		func(p Snapshot) uuid.UUID { return p.ID },
		func(in SnapshotInput, p Snapshot) bool { return p.URL == in.URL })
	snapshots := make([]Snapshot, len(inputs))
	for n, in := range inputs {
		snapshots[n] = Snapshot{ID: ids[n], URL: in.URL}
	}
	return snapshots, faults
}

// assignIDs returns an id for each input: the input's own, else that of an equal old entry, else a new one. An id that
// occurs twice is a fault.
func assignIDs[Input, Old any](
	field string, inputs []Input, old []Old,
	inputID func(Input) *uuid.UUID, oldID func(Old) uuid.UUID, equal func(Input, Old) bool,
) (ids []uuid.UUID, faults problem.Faults) {
	ids = make([]uuid.UUID, len(inputs))
	given, assigned := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for _, in := range inputs {
		if id := inputID(in); id != nil {
			given[*id] = true
		}
	}
	for n, in := range inputs {
		isFree := func(o Old) bool { return equal(in, o) && !assigned[oldID(o)] && !given[oldID(o)] }
		if id := inputID(in); id != nil {
			ids[n] = *id
		} else if at := slices.IndexFunc(old, isFree); at >= 0 {
			ids[n] = oldID(old[at])
		} else {
			ids[n] = uuid.Must(uuid.NewV7())
		}
		if assigned[ids[n]] {
			faults.At(fmt.Sprintf("#/%s/%d/id", field, n), "must not occur twice")
		}
		assigned[ids[n]] = true
	}
	return ids, faults
}
