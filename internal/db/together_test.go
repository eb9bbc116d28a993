package db_test

import (
	"bytes"
	"strconv"
	"testing"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
)

func TestTogether_ReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, size := range []int{0, 1, 7, 1000} {
		rows, err := db.Together(pool, size).Query(t.Context(), `SELECT n, CASE WHEN n % 3 > 0 THEN convert_to(repeat(n::text, n), 'UTF8') END, ''::bytea, n::text::bytea
			FROM generate_series(1, 50) n`)
		if err != nil {
			t.Fatal(err)
		}
		var all, others [][]byte
		for rows.Next() {
			var n int
			var one, empty, other []byte
			if err := rows.Scan(&n, &one, &empty, &other); err != nil || empty == nil || len(empty) > 0 {
				t.Fatalf("%q, %v", empty, err)
			}
			all, others = append(all, one), append(others, other)
		}
		if rows.Err() != nil || len(all) != 50 {
			t.Fatalf("%d rows, %v", len(all), rows.Err())
		}
		for i, one := range all { // and none has been written over by another
			number := []byte(strconv.Itoa(i + 1))
			if want := bytes.Repeat(number, i+1); (i+1)%3 > 0 && !bytes.Equal(one, want) || (i+1)%3 == 0 && one != nil || !bytes.Equal(others[i], number) {
				t.Errorf("size %d, row %d: %q and %q", size, i+1, one, others[i])
			}
		}
	}
}
