// Package scalar encodes and decodes GraphQL's scalars. It promises that JSON passes unchanged, byte for byte.
package scalar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"itemcast/graph/jsoninput"
	"itemcast/internal/plainjson"
	"itemcast/internal/strictjson"
	"itemcast/internal/validate"
)

// MarshalJSON writes a JSON value unchanged.
func MarshalJSON(value json.RawMessage) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(value) })
}

// UnmarshalJSON reads a value that package jsoninput has prepared.
func UnmarshalJSON(value any) (json.RawMessage, error) {
	raw, err := jsoninput.Decode(value)
	if err != nil {
		return nil, err
	}
	if err := strictjson.Check(raw, strictjson.Limits{}); err != nil {
		return nil, err
	}
	return raw, nil
}

// MarshalDateTime writes a time as documents do.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(plainjson.AppendTime(nil, t)) })
}

var errTime = errors.New("must be an RFC 3339 time in the years 1 to 9999 in UTC, such as 2026-01-31T12:00:00Z")

// UnmarshalDateTime reads an RFC 3339 time.
func UnmarshalDateTime(value any) (time.Time, error) {
	text, ok := value.(string)
	if !ok {
		return time.Time{}, errTime
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || validate.Time(t) != "" {
		return time.Time{}, errTime
	}
	return t, nil
}

// MarshalWhole writes an integer that may exceed GraphQL's 32 bits, such as a size in bytes, as a Float with all
// digits.
func MarshalWhole(n int64) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d", n)
		return err
	})
}

// UnmarshalWhole reads an integer from a Float.
func UnmarshalWhole(_ context.Context, value any) (int64, error) {
	f, err := graphql.UnmarshalFloat(value)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, fmt.Errorf("must be a whole number")
	}
	return int64(f), nil
}
