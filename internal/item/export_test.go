package item

import (
	"bytes"
	"strings"
	"testing"
)

func TestExport_IsInTheOrderAskedForAndOldestFirstByDefault(t *testing.T) {
	b := setup(t)
	for _, name := range []string{"b", "c", "a"} {
		b.create(`{"name":"` + name + `"}`)
	}
	for sort, want := range map[Sort]string{"": "b c a", ByCreatedDesc: "a c b", ByName: "a b c", ByNameDesc: "c b a"} {
		var out bytes.Buffer
		var told int64
		if err := b.items.Export(b.ctx, &out, Filter{}, &ExportOptions{Sort: sort, Progress: func(items int64) { told = items }}); err != nil {
			t.Fatal(err)
		}
		var items []*Item
		for line := range strings.Lines(out.String()) {
			items = append(items, b.decode([]byte(line)))
		}
		if got := strings.Join(names(items), " "); got != want || told != 3 {
			t.Errorf("%q: got %s, and %d are told; want %s", sort, got, told, want)
		}
	}
}
