package db_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/db/dbtest"
)

func TestUUID_ScansTheValueThatWasSent(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	id, other := uuid.New(), uuid.New()
	var one uuid.UUID
	var pointed, none *uuid.UUID
	var several []uuid.UUID
	err := pool.QueryRow(t.Context(), "SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid[]",
		id, &other, (*uuid.UUID)(nil), []uuid.UUID{id, other}).Scan(&one, &pointed, &none, &several)
	if err != nil {
		t.Fatal(err)
	}
	if one != id || pointed == nil || *pointed != other || none != nil ||
		!slices.Equal(several, []uuid.UUID{id, other}) {
		t.Errorf("got %v, %v, %v and %v", one, pointed, none, several)
	}
}
