package scalar

import (
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// MarshalUUID writes an id as documents do.
func MarshalUUID(id uuid.UUID) graphql.Marshaler { return graphql.MarshalUUID(id) }

var errUUID = errors.New("must be an id (UUID), as lists and created objects have it")

// UnmarshalUUID reads an id.
func UnmarshalUUID(value any) (uuid.UUID, error) {
	id, err := graphql.UnmarshalUUID(value)
	if err != nil {
		return uuid.Nil, errUUID
	}
	return id, nil
}
