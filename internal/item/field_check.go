package item

import (
	"fmt"
	"slices"

	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// The limits of the contract's MetadataFieldInput. GraphQL does not check them.
const (
	maxLabel       = 200  // characters
	maxDescription = 2000 // characters
	maxChoices     = 500
	maxChoice      = 200 // characters
)

// check checks a field against the contract's limits and against the rules. Errors: INVALID_INPUT with every fault,
// RULE_VIOLATED.
func (f *Field) check() error {
	var faults problem.Faults
	if !fieldKey.MatchString(f.Key) {
		faults.At("#/key", "must be 1 to 63 lower-case letters, digits or underscores, and begin with a letter")
	}
	faults.At("#/label", validate.Text(f.Label, 1, maxLabel))
	faults.At("#/description", validate.Text(f.Description, 0, maxDescription))
	if len(f.Choices) > maxChoices {
		faults.At("#/choices", fmt.Sprintf("must have at most %d entries", maxChoices))
	}
	for i, choice := range f.Choices[:min(len(f.Choices), maxChoices)] {
		pointer := fmt.Sprintf("#/choices/%d", i)
		faults.At(pointer, validate.Text(choice, 1, maxChoice))
		if first := slices.Index(f.Choices, choice); first < i {
			faults.At(pointer, fmt.Sprintf("must differ from entry %d", first))
		}
	}
	if err := faults.Err(problem.InvalidInput); err != nil {
		return err
	}
	switch {
	case f.Kind == "choice" && len(f.Choices) == 0:
		faults.At("#/choices", "must name at least one choice for a field of kind choice")
	case f.Kind != "choice" && len(f.Choices) > 0:
		faults.At("#/choices", "is only for fields of kind choice")
	}
	return faults.Err(problem.RuleViolated)
}
