package bench

import (
	"slices"
	"strings"
	"testing"
)

func namesOf(rows []row) (names []string) {
	for _, r := range rows {
		names = append(names, r.name)
	}
	return names
}

func TestChoose_TakesNamesAndGroupsInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ only, want string }{
		{"list", "list"},
		{"patch,list", "patch-1 patch-4 patch-8 patch-32 list"},
		{"memory", "memory"},
		{"hook", "hook-latency hook-dead hook-backlog"},
	} {
		chosen, err := choose(strings.Split(c.only, ","), false)
		if got := strings.Join(namesOf(chosen), " "); err != nil || got != c.want {
			t.Errorf("%s chooses %s (%v) instead of %s", c.only, got, err, c.want)
		}
	}
	_, err := choose([]string{"gets"}, false)
	if err == nil || !strings.Contains(err.Error(), "choose from get-1, get-4") {
		t.Errorf("the error for an unknown row is %v", err)
	}
}

func TestChoose_LeavesLongRowsOutUnlessAsked(t *testing.T) {
	t.Parallel()
	short, err := choose(nil, false)
	if err != nil || slices.Contains(namesOf(short), "memory-idle") {
		t.Errorf("without --long: %v, %v", namesOf(short), err)
	}
	all, err := choose(nil, true)
	if err != nil || !slices.Equal(namesOf(all), Names()) {
		t.Errorf("with --long: %v, %v", namesOf(all), err)
	}
}
