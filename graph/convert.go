package graph

import (
	"strings"
	"time"

	"itemcast/graph/internal/model"
)

// toEnum returns an enum of REST (lower case, with dots) as one of GraphQL (upper case, with underscores).
func toEnum[T ~string](text string) T { return T(strings.ToUpper(strings.ReplaceAll(text, ".", "_"))) }

func fromEnum[T ~string](value T) string { return strings.ToLower(string(value)) }

func fromEvent(value model.HookEvent) string { return strings.ReplaceAll(fromEnum(value), "_", ".") }

func toInt64[T int | int32](n *T) *int64 {
	if n == nil {
		return nil
	}
	return new(int64(*n))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func each[From, To any](values []From, convert func(From) To) []To {
	out := make([]To, len(values))
	for i, value := range values {
		out[i] = convert(value)
	}
	return out
}

// eachOrNil is each, but returns nil for nil.
func eachOrNil[From, To any](values []From, convert func(From) To) []To {
	if values == nil {
		return nil
	}
	return each(values, convert)
}

func pointers[T any](values []T) []*T {
	out := make([]*T, len(values))
	for i := range values {
		out[i] = &values[i]
	}
	return out
}
