package item

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// One answer has the faults of the contract and of the account's rules.
func TestFaults_OfTheContractAndTheRulesComeTogether(t *testing.T) {
	b := setup(t)
	b.fields()
	if _, err := b.items.CreateField(b.ctx, Field{Key: "must", Kind: "text", Required: true}); err != nil {
		t.Fatal(err)
	}
	has := b.create(`{"name":"n","metadata":{"must":"x","number":1}}`)
	for what, c := range map[string]struct {
		input string
		want  []string // faults of create and replace
		patch []string // faults of a patch, if there are fewer
	}{
		"an unknown field and an unknown key": {`{"name":"n","colour":1,"metadata":{"must":"x","nope":1}}`,
			[]string{"#/colour unknown field", "#/metadata/nope must be a metadata field"}, nil},
		"a blank tag beside a wrong type": {`{"name":"n","tags":["  "],"duration":"long","metadata":{"must":"x"}}`,
			[]string{"#/duration must be", "#/tags must not hold a blank tag"}, nil},
		"faults within one object": {`{"name":"n","metadata":{"bool":[1],"number":"1","must":"x"}}`,
			[]string{"#/metadata/bool must be", "#/metadata/number must be a number"}, nil},
		"no name": {`{"metadata":{"number":"1"}}`,
			[]string{"#/name is required", "#/metadata/must is required", "#/metadata/number must be"}, []string{"#/metadata/number must be"}},
		"one fault a place": {`{"name":"","tags":[1," "],"metadata":{"must":[]}}`,
			[]string{"#/metadata/must must be", "#/name must not be empty", "#/tags/0 must be"}, nil},
		"metadata that is none": {`{"name":" ","metadata":7}`, []string{"#/metadata must be an object", "#/name must not be blank", "#/metadata/must is required"},
			[]string{"#/metadata must be an object", "#/name must not be blank"}},
		"what is judged by something faulty is not judged": {`{"name":" ","metadata":{"must":"x"},"snapshots":[{"url":"mailto:x"}],"snapshot_id":"` + uuid.NewString() + `"}`,
			[]string{"#/snapshots/0/url must be", "#/name must not be blank"}, nil},
	} {
		for way, write := range map[string]func() error{
			"create":  func() error { _, err := b.items.Create(b.ctx, []byte(c.input)); return err },
			"replace": func() error { _, err := b.items.Replace(b.ctx, has.ID, []byte(c.input), nil); return err },
			"patch":   func() error { _, err := b.items.Patch(b.ctx, has.ID, []byte(c.input), nil); return err },
		} {
			want, code := c.want, problem.InvalidInput
			if way == "patch" && c.patch != nil {
				want = c.patch
			}
			if len(want) == 1 { // only a rule's fault
				code = problem.RuleViolated
			}
			got := strings.Split(faults(t, write(), code), "\n")
			if len(got) != len(want) || !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("%s, %s: got %q, want %q", what, way, got, want)
			}
		}
	}
	if n := b.changes(); n != 1 {
		t.Errorf("refused writes left %d changes", n-1)
	}
}

// The permission items.edit is enough to write an item, and also to see the faults of the input.
func TestFaults_OfAnEditAreSeenWithoutItemsView(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n"}`)
	edits := b.as(account.APIAccess, account.ItemsEdit)
	const input, want = `{"name":"","tags":[" "]}`, "#/name must not be empty\n#/tags must not hold a blank tag"
	_, patched := b.items.Patch(edits, i.ID, []byte(input), nil)
	_, replaced := b.items.Replace(edits, i.ID, []byte(input), nil)
	for what, err := range map[string]error{"patch": patched, "replace": replaced} {
		if at := faults(t, err, problem.InvalidInput); at != want {
			t.Errorf("%s: got %s", what, at)
		}
		const detail = "The input is not valid at name: must not be empty (and 1 more; see errors)."
		if told := problem.Of(err); told.Detail != detail {
			t.Errorf("%s: %s", what, told.Detail)
		}
	}
}

func TestFaults_AnInputForAMissingItemIsNotFound(t *testing.T) {
	b := setup(t)
	for what, err := range map[string]error{
		"replace": func() error { _, err := b.items.Replace(b.ctx, uuid.New(), []byte(`{"nmae":1}`), nil); return err }(),
		"patch":   func() error { _, err := b.items.Patch(b.ctx, uuid.New(), []byte(`{"nmae":1}`), nil); return err }(),
	} {
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := b.items.Patch(b.ctx, uuid.New(), []byte(`{"nmae":`), nil); !problem.Is(err, problem.InvalidJSON) {
		t.Errorf("no JSON: got %v", err)
	}
}

func TestFaults_ANonObjectHasOneFault(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n"}`)
	for _, text := range []string{`null`, `[]`, `7`} {
		_, made := b.items.Create(b.ctx, []byte(text))
		_, replaced := b.items.Replace(b.ctx, i.ID, []byte(text), nil)
		_, patched := b.items.Patch(b.ctx, i.ID, []byte(text), nil)
		for _, err := range []error{made, replaced, patched} {
			if at := faults(t, err, problem.InvalidInput); at != "# must be an object" {
				t.Errorf("%s: got %s", text, at)
			}
		}
	}
}

func TestFaults_APatchCannotClearAnUnknownField(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n"}`)
	_, err := b.items.Patch(b.ctx, i.ID, []byte(`{"nmae":null}`), nil)
	if at := faults(t, err, problem.InvalidInput); at != "#/nmae unknown field; did you mean name?" {
		t.Errorf("got %s", at)
	}
}

func TestFaults_AreLimitedToAHundred(t *testing.T) {
	b := setup(t)
	var input strings.Builder
	input.WriteString(`{"name":" ","metadata":{"k":1`)
	for range 150 {
		input.WriteString(`,"` + uuid.NewString() + `":1`)
	}
	input.WriteString(`},"x":1,"y":2}`)
	_, err := b.items.Create(b.ctx, []byte(input.String()))
	if n := len(problem.Of(err).Faults); n != problem.MaxFaults {
		t.Errorf("%d faults are reported", n)
	}
}
