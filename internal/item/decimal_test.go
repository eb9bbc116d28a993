package item

import (
	"encoding/json"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

const jsonNumber = `-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,2})?`

// Equal numbers are stored in one form, whatever form the client sent.
func TestPlainDecimal_HasOneFormForEqualNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(jsonNumber).Draw(t, "number")
		plain, ok := plainDecimal(number)
		if !ok {
			return
		}
		checkPlain(t, number, plain)
	})
}

func checkPlain(t interface {
	Helper()
	Fatalf(string, ...any)
}, number, plain string) {
	t.Helper()
	want, okWant := new(big.Rat).SetString(number)
	got, okGot := new(big.Rat).SetString(plain)
	if !okWant || !okGot || want.Cmp(got) != 0 {
		t.Fatalf("%s became %s, a different number", number, plain)
	}
	if again, ok := plainDecimal(plain); !ok || again != plain {
		t.Fatalf("%s became %s, and again %s", number, plain, again)
	}
	if !json.Valid([]byte(plain)) {
		t.Fatalf("%s became %s, which is not JSON", number, plain)
	}
}

func FuzzPlainDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1e2", "1.50", "9007199254740993", "-0.0e-9", "1E+29", "1e-15", "100000000000000000000000000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		if !isNumber(number) {
			return
		}
		if plain, ok := plainDecimal(number); ok {
			checkPlain(t, number, plain)
		}
	})
}

func TestPlainDecimal_Examples(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"0": "0", "-0": "0", "-0.0e5": "0", "1e2": "100", "1.50": "1.5", "1.0": "1", "-1.25e1": "-12.5", "12e-3": "0.012",
		"9007199254740993":               "9007199254740993",
		"999999999999999999999999999999": "999999999999999999999999999999",
		"0.000000000000001":              "0.000000000000001",
		"1e29":                           "100000000000000000000000000000",
	} {
		if got, ok := plainDecimal(number); !ok || got != want {
			t.Errorf("plainDecimal(%s) = %q, %v; want %q", number, got, ok, want)
		}
	}
	for _, number := range []string{"1e30", "1000000000000000000000000000000", "1e-16", "0.0000000000000001", "1e101", "1e-99999999999999999999"} {
		if got, ok := plainDecimal(number); ok {
			t.Errorf("plainDecimal(%s) = %q; want an error", number, got)
		}
	}
}

// A document rendered by the write must equal one that is rendered from the row later.
func TestPlainDecimal_SurvivesPostgres(t *testing.T) {
	b := setup(t)
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.StringMatching(jsonNumber), 1, 50).Draw(t, "numbers")
		kept := []string{}
		for _, number := range numbers {
			if plain, ok := plainDecimal(number); ok {
				kept = append(kept, plain)
			}
		}
		back := value[[]string](b, "SELECT array(SELECT jsonb_build_array(n::jsonb)->>0 FROM unnest($1::text[]) WITH ORDINALITY u (n, o) ORDER BY o)", kept)
		for n := range kept {
			if back[n] != kept[n] {
				t.Fatalf("Postgres returns %s as %s", kept[n], back[n])
			}
		}
	})
}
