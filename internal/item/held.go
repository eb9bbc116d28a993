package item

import (
	"strings"

	"github.com/google/uuid"
)

// MediaPath begins the URL of a file that Itemcast holds, after the public URL: /media/ID/NAME, with the id of its
// asset or snapshot. The columns have the path and documents have the URL, so that documents follow the public URL.
const MediaPath = "/media/"

// HeldName returns the name of the file that Itemcast holds for an asset or a snapshot of a document, as its URL has
// it; "" if the file is external.
func (s *Service) HeldName(id uuid.UUID, url string) string {
	path, ok := strings.CutPrefix(url, s.publicURL)
	if !ok {
		return ""
	}
	return heldName(id, path)
}

func (s *Service) holds(id uuid.UUID, url string) bool { return s.HeldName(id, url) != "" }

// heldFiles returns the ids of an item's assets and snapshots whose files Itemcast holds.
func (s *Service) heldFiles(i *Item) (ids []uuid.UUID) {
	for _, a := range i.Assets {
		if s.holds(a.ID, a.URL) {
			ids = append(ids, a.ID)
		}
	}
	for _, shot := range i.Snapshots {
		if s.holds(shot.ID, shot.URL) {
			ids = append(ids, shot.ID)
		}
	}
	return ids
}

// heldName returns the name in a path /media/ID/NAME with this id; else "".
func heldName(id uuid.UUID, path string) string {
	folder, ok := strings.CutPrefix(path, MediaPath)
	if !ok {
		return ""
	}
	name, ok := strings.CutPrefix(folder, id.String()+"/")
	if !ok {
		return ""
	}
	return name
}

// imitates reports whether an external URL has the form of a held one with this id, of any server. Such an entry gets
// another id. Else it would count as held once the public URL is that server's.
func imitates(id uuid.UUID, url string) bool {
	return strings.Contains(url, MediaPath) && strings.Contains(url, MediaPath+id.String()+"/")
}

// columnURL returns what the columns have for a URL of a document, and documentURL the reverse.
func (s *Service) columnURL(id uuid.UUID, url string) string {
	if s.holds(id, url) {
		return url[len(s.publicURL):]
	}
	return url
}

func (s *Service) documentURL(stored string) string {
	if strings.HasPrefix(stored, MediaPath) {
		return s.publicURL + stored
	}
	return stored
}
