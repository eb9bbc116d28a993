package media

import "itemcast/internal/item"

// AssetOf returns the asset that a file is the address of. The caller adds what only it knows, such as the language.
func (s *Service) AssetOf(f File, kind item.AssetKind) item.Asset {
	a := item.Asset{ID: f.Asset, Kind: kind, URL: s.Path(f.Asset, f.Name), ContentType: f.ContentType}
	if f.Size > 0 {
		a.Size = &f.Size
	}
	return a
}

// SnapshotOf returns the snapshot that a file is.
func (s *Service) SnapshotOf(f File) item.Snapshot {
	return item.Snapshot{ID: f.Asset, URL: s.Path(f.Asset, f.Name)}
}
