package workflow

import "itemcast/internal/problem"

// findings are all faults of an input, so that one response reports them.
type findings struct {
	faults  problem.Faults
	invalid bool // a fault violates the contract, and not only the account's rules
}

// contract adds a violation of the contract, unless the detail is empty.
func (f *findings) contract(pointer, detail string) {
	f.faults.At(pointer, detail)
	f.invalid = f.invalid || detail != ""
}

// add adds violations of the contract.
func (f *findings) add(faults problem.Faults) {
	f.faults.Add(faults...)
	f.invalid = f.invalid || len(faults) > 0
}

// rule adds a violation of the account's rules, unless the detail is empty.
func (f *findings) rule(pointer, detail string) { f.faults.At(pointer, detail) }

// err returns INVALID_INPUT or RULE_VIOLATED with every fault; nil if there is none.
func (f *findings) err() error {
	if f.invalid {
		return f.faults.Err(problem.InvalidInput)
	}
	return f.faults.Err(problem.RuleViolated)
}
