package item

import (
	"bytes"
	"strings"
	"testing"
)

func TestExport_HasTheGivenOrderAndOldestFirstByDefault(t *testing.T) {
	b := setup(t)
	for _, name := range []string{"b", "c", "a"} {
		b.create(`{"name":"` + name + `"}`)
	}
	for sort, want := range map[Sort]string{"": "b c a", ByCreatedDesc: "a c b", ByName: "a b c", ByNameDesc: "c b a"} {
		var out bytes.Buffer
		var reported int64
		if err := b.items.Export(b.ctx, &out, Filter{}, &ExportOptions{Sort: sort, Progress: func(items int64) { reported = items }}); err != nil {
			t.Fatal(err)
		}
		var items []*Item
		for line := range strings.Lines(out.String()) {
			items = append(items, b.decode([]byte(line)))
		}
		if got := strings.Join(names(items), " "); got != want || reported != 3 {
			t.Errorf("%q: got %s with progress %d, want %s", sort, got, reported, want)
		}
	}
}
