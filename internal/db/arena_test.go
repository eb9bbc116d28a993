package db_test

import (
	"bytes"
	"strconv"
	"testing"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
)

func TestWithArena_SlicesKeepTheirBytes(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, chunk := range []int{0, 1, 7, 1000} {
		rows, err := db.WithArena(pool, chunk).Query(t.Context(), `
			SELECT n, CASE WHEN n % 3 > 0 THEN convert_to(repeat(n::text, n), 'UTF8') END, ''::bytea, n::text::bytea
			FROM generate_series(1, 50) n`)
		if err != nil {
			t.Fatal(err)
		}
		var repeated, once [][]byte
		for rows.Next() {
			var n int
			var a, empty, b []byte
			if err := rows.Scan(&n, &a, &empty, &b); err != nil || empty == nil || len(empty) > 0 {
				t.Fatalf("%q, %v", empty, err)
			}
			repeated, once = append(repeated, a), append(once, b)
		}
		if rows.Err() != nil || len(repeated) != 50 {
			t.Fatalf("%d rows, %v", len(repeated), rows.Err())
		}
		for i := range repeated { // after all rows were read: no row overwrote another
			number := []byte(strconv.Itoa(i + 1))
			want := bytes.Repeat(number, i+1)
			if (i+1)%3 == 0 {
				want = nil
			}
			if !bytes.Equal(repeated[i], want) || (repeated[i] == nil) != (want == nil) || !bytes.Equal(once[i], number) {
				t.Errorf("chunks of %d, row %d: %q and %q", chunk, i+1, repeated[i], once[i])
			}
		}
	}
}
