package item

import (
	"fmt"
	"regexp"
	"strings"
)

// Digits that a number in metadata may have before and after its decimal point. All of them are stored.
const (
	maxIntegerDigits  = 30
	maxFractionDigits = 15
)

// numberPattern is the grammar of JSON numbers (RFC 8259 §6).
var numberPattern = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func isNumber(text string) bool { return numberPattern.MatchString(text) }

// plainDecimal writes a JSON number without an exponent, a sign of zero, or trailing zeros of the fraction. This form
// survives a round trip through Postgres's numeric. ok is false if the number has too many digits.
func plainDecimal(number string) (plain string, ok bool) {
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(number), "e")
	exponent := 0
	if exponentText != "" {
		if _, err := fmt.Sscanf(exponentText, "%d", &exponent); err != nil || exponent > 100 || exponent < -100 {
			return "", false
		}
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	integer, fraction, _ := strings.Cut(mantissa, ".")
	if len(integer)+len(fraction) > 200 {
		return "", false
	}
	digits := integer + fraction
	point := len(integer) + exponent
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	integer = strings.TrimLeft(digits[:point], "0")
	fraction = strings.TrimRight(digits[point:], "0")
	if len(integer) > maxIntegerDigits || len(fraction) > maxFractionDigits {
		return "", false
	}
	if integer == "" {
		integer = "0"
	}
	plain = integer
	if fraction != "" {
		plain += "." + fraction
	}
	if negative && plain != "0" {
		plain = "-" + plain
	}
	return plain, true
}
