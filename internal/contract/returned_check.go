package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// Returned are the members of a representation that a client has sent back with a PUT or a PATCH, although only the
// server sets them. The handler's body does not have them.
type Returned struct {
	names    []string // in the body's order
	values   map[string]any
	volatile map[string]bool
	rest     func() problem.Faults // of the other members
}

type returnedKey struct{}

// ReturnedIn returns what a client has sent back; nil for nothing.
func ReturnedIn(ctx context.Context) *Returned {
	returned, _ := ctx.Value(returnedKey{}).(*Returned)
	return returned
}

// Check compares the members with the present representation, as JSON. Those that are unchanged have no effect; members
// that change by themselves (x-volatile) are not compared. Errors: RULE_VIOLATED with a fault for each member that
// differs; INVALID_INPUT if the rest of the body has faults too.
func (r *Returned) Check(present []byte) error {
	decoder := json.NewDecoder(strings.NewReader(string(present)))
	decoder.UseNumber()
	var now map[string]any
	if err := decoder.Decode(&now); err != nil {
		return fmt.Errorf("decode the present representation: %w", err)
	}
	var faults problem.Faults
	for _, name := range r.names {
		value, compared := r.values[name]
		if compared && !r.volatile[name] {
			differences(&faults, []string{name}, value, now[name])
		}
	}
	if len(faults) == 0 {
		return nil
	}
	if others := r.rest(); len(others) > 0 {
		faults.Add(others...)
		return faults.Err(problem.InvalidInput)
	}
	return faults.Err(problem.RuleViolated)
}

// revision returns the revision that a client has sent back; "" for none.
func (r *Returned) revision() string {
	number, _ := r.values["revision"].(json.Number)
	if _, err := strconv.ParseUint(string(number), 10, 63); err != nil {
		return ""
	}
	return string(number)
}

// differences adds a fault for each place where a value is not what it is now. A member that a client left out is not
// compared.
func differences(faults *problem.Faults, at []string, sent, now any) {
	object, isObject := sent.(map[string]any)
	present, wasObject := now.(map[string]any)
	if isObject && wasObject {
		for name, value := range object {
			differences(faults, append(at[:len(at):len(at)], name), value, present[name])
		}
		return
	}
	if !isSame(sent, now) {
		faults.At(strictjson.Pointer(at...),
			"is set by the server, and is not this now; leave it out, or read the resource again")
	}
}

// isSame compares values as clients may write them: times to the millisecond, because JavaScript's Date has no more.
func isSame(sent, now any) bool {
	switch sent := sent.(type) {
	case string:
		text, ok := now.(string)
		return ok && (sent == text || isUUID(sent) && strings.EqualFold(sent, text) || isSameTime(sent, text))
	case json.Number:
		number, ok := now.(json.Number)
		a, errA := sent.Float64()
		b, errB := number.Float64()
		return ok && (sent == number || errA == nil && errB == nil && a == b)
	case []any:
		list, ok := now.([]any)
		if !ok || len(list) != len(sent) {
			return false
		}
		for i := range sent {
			var faults problem.Faults
			if differences(&faults, nil, sent[i], list[i]); len(faults) > 0 {
				return false
			}
		}
		return true
	case map[string]any:
		return len(sent) == 0 && now == nil // all that it had stands elsewhere in the body
	}
	return sent == now
}

func isSameTime(a, b string) bool {
	first, errA := time.Parse(time.RFC3339Nano, a)
	second, errB := time.Parse(time.RFC3339Nano, b)
	return errA == nil && errB == nil && first.Truncate(time.Millisecond).Equal(second.Truncate(time.Millisecond))
}
