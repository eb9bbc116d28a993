package password

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"itemcast/internal/plaintext"
	"itemcast/internal/validate"
)

const (
	minLength = 8 // characters (NIST SP 800-63B §5.1.1.2)

	// MaxBytes is the maximum length of a password.
	MaxBytes = 1024
)

// Fault returns the detail of the fault of a password that the user with an e-mail address has chosen; "" if it is
// acceptable. The rules are those of NIST SP 800-63B: a minimum length, no common password, not the user's own
// address, and no required digits or signs.
func Fault(password, email string) string {
	password = plaintext.Composed(password)
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	switch {
	case len(password) > MaxBytes:
		return fmt.Sprintf("must have at most %d bytes", MaxBytes)
	case validate.Storable(password) != "":
		return validate.Storable(password)
	case utf8.RuneCountInString(password) < minLength:
		return fmt.Sprintf("must have at least %d characters; a few unrelated words are best", minLength)
	case lower == strings.ToLower(email) || lower == local:
		return "must not be the e-mail address"
	case isCommon(lower):
		return "is among the most common passwords; choose another"
	}
	return ""
}

// isCommon recognizes the most common leaked passwords of 8 or more characters: one repeated character, sequences, and
// common words with up to 4 digits or signs around them.
func isCommon(lower string) bool {
	if strings.Count(lower, lower[:1]) == len(lower) {
		return true // one repeated character
	}
	if strings.Contains(sequences, lower) {
		return true
	}
	const affixes = "0123456789!?.*_-#$ "
	bare := strings.TrimRight(strings.TrimLeft(lower, affixes), affixes)
	return common[lower] || common[bare] && len(lower)-len(bare) <= 4
}

// sequences are runs of neighbouring digits, letters and keys.
const sequences = "01234567890123456789 98765432109876543210 abcdefghijklmnopqrstuvwxyz qwertyuiopasdfghjklzxcvbnm"

var common = func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(`
		password passw0rd p@ssword p@ssw0rd passwort motdepasse contraseña qwerty qwertyuiop qwertz
		qwerty123 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx q1w2e3r4 q1w2e3r4t5 asdfghjkl letmein welcome
		iloveyou sunshine princess football baseball basketball superman batman starwars dragon monkey
		shadow master michael jennifer jordan charlie computer internet trustno1 whatever pokemon
		administrator admin changeme secret default guest test tester itemcast letmeinnow abc123 abcd1234
		a1b2c3d4 aa123456 password1 hallo hello freedom mustang corvette liverpool chelsea arsenal samsung
		google facebook`) {
		set[word] = true
	}
	return set
}()
