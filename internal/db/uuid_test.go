package db_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/db/dbtest"
)

func TestOpen_UUIDsGoAndComeInEveryForm(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	want, none := uuid.New(), (*uuid.UUID)(nil)
	var one uuid.UUID
	var pointer, null *uuid.UUID
	var text string
	var list, empty []uuid.UUID
	err := pool.QueryRow(t.Context(), "SELECT $1::uuid, $2::uuid, $3::uuid, $1::text, $4::uuid[], '{}'::uuid[]", want, &want, none, []uuid.UUID{want, want}).
		Scan(&one, &pointer, &null, &text, &list, &empty)
	if err != nil {
		t.Fatal(err)
	}
	if one != want || pointer == nil || *pointer != want || null != nil || text != want.String() || !slices.Equal(list, []uuid.UUID{want, want}) || len(empty) != 0 {
		t.Errorf("got %v %v %v %v %v %v", one, pointer, null, text, list, empty)
	}
	if err := pool.QueryRow(t.Context(), "SELECT NULL::uuid").Scan(&one); err == nil {
		t.Error("NULL became a uuid")
	}
}
