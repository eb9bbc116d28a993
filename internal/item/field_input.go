package item

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"itemcast/internal/db"
	"itemcast/internal/problem"
)

// check holds a field against the contract's MetadataFieldInput, which only REST's requests have passed, and against the rules. Errors:
// INVALID_INPUT with every fault, RULE_VIOLATED.
func (f *Field) check() error {
	var faults []problem.Fault
	text := func(pointer, value string, least, most int) {
		switch n := utf8.RuneCountInString(value); {
		case !db.IsText(value):
			faults = append(faults, problem.Fault{Pointer: pointer, Detail: "must be text without U+0000"})
		case n < least || n > most:
			faults = append(faults, problem.Fault{Pointer: pointer, Detail: fmt.Sprintf("must have from %d to %d characters", least, most)})
		}
	}
	if !fieldKey.MatchString(f.Key) {
		faults = append(faults, problem.Fault{Pointer: "#/key", Detail: "must be lower-case letters, digits and underscores, at most 63, and begin with a letter"})
	}
	text("#/label", f.Label, 1, 200)
	text("#/description", f.Description, 0, 2000)
	if len(f.Choices) > 500 {
		faults = append(faults, problem.Fault{Pointer: "#/choices", Detail: "must have at most 500 elements"})
	}
	for i, choice := range f.Choices[:min(len(f.Choices), 500)] {
		pointer := fmt.Sprintf("#/choices/%d", i)
		text(pointer, choice, 1, 200)
		if slices.Contains(f.Choices[:i], choice) {
			faults = append(faults, problem.Fault{Pointer: pointer, Detail: "is there already"})
		}
	}
	if len(faults) > 0 {
		return problem.Invalid(problem.InvalidInput, faults...)
	}
	switch {
	case f.Kind == "choice" && len(f.Choices) == 0:
		return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/choices", Detail: "must name at least one choice for a field of kind choice"})
	case f.Kind != "choice" && len(f.Choices) > 0:
		return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/choices", Detail: "is only for fields of kind choice"})
	}
	return nil
}
