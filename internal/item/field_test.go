package item

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

func TestPatchField_ARevisionCountsTheChanges(t *testing.T) {
	b := setup(t)
	f := b.field("colour", "choice", "red")
	for _, step := range []struct {
		patch FieldPatch
		want  int64
	}{
		{FieldPatch{Label: new("Colour")}, 2},
		{FieldPatch{Label: new("Colour"), Choices: &[]string{"red"}, Required: new(false)}, 2}, // no change
		{FieldPatch{Choices: &[]string{"red", "green"}}, 3},
		{FieldPatch{Required: new(true)}, 4},
		{FieldPatch{Description: new("Of the cover.")}, 5},
		{FieldPatch{}, 5},
	} {
		before := f
		var err error
		f, err = b.items.PatchField(b.ctx, f.ID, step.patch, revision.Is(f.Revision))
		if err != nil || f.Revision != step.want {
			t.Fatalf("got %+v, %v; want revision %d", f, err, step.want)
		}
		if unchanged := f.Revision == before.Revision; unchanged != f.UpdatedAt.Equal(before.UpdatedAt) {
			t.Errorf("revision %d: updated at %s, before at %s", f.Revision, f.UpdatedAt, before.UpdatedAt)
		}
	}
}

func TestField_AStaleRevisionChangesNothing(t *testing.T) {
	b := setup(t)
	f := b.field("year", "number")
	if _, err := b.items.PatchField(b.ctx, f.ID, FieldPatch{Label: new("Year")}, nil); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"patch":    errOf(b.items.PatchField(b.ctx, f.ID, FieldPatch{Label: new("x")}, revision.Is(1))),
		"no patch": errOf(b.items.PatchField(b.ctx, f.ID, FieldPatch{}, revision.Is(1))),
		"delete":   b.items.DeleteField(b.ctx, f.ID, revision.Is(1)),
	} {
		if !problem.Is(err, problem.RevisionMismatch) || problem.Of(err).Revision != 2 {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got, err := b.items.Field(b.ctx, f.ID); err != nil || got.Label != "Year" || got.Revision != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := b.items.DeleteField(b.ctx, f.ID, revision.Is(2)); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"patch":  errOf(b.items.PatchField(b.ctx, f.ID, FieldPatch{}, revision.Is(2))),
		"delete": b.items.DeleteField(b.ctx, uuid.New(), nil),
	} {
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("%s of a field that does not exist: got %v", name, err)
		}
	}
}

func errOf(_ Field, err error) error { return err }

func TestPatchField_OneOfTwoConcurrentChangesOfARevisionSucceeds(t *testing.T) {
	b := setup(t)
	f := b.field("year", "number")
	errs := make([]error, 4)
	var group sync.WaitGroup
	for n := range errs {
		group.Go(func() {
			_, errs[n] = b.items.PatchField(b.ctx, f.ID, FieldPatch{Label: new(string(rune('A' + n)))}, revision.Is(1))
		})
	}
	group.Wait()
	succeeded := 0
	for _, err := range errs {
		if err == nil {
			succeeded++
		} else if !problem.Is(err, problem.RevisionMismatch) {
			t.Error(err)
		}
	}
	if succeeded != 1 {
		t.Errorf("%d succeeded: %v", succeeded, errors.Join(errs...))
	}
}
