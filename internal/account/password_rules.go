package account

import (
	"strings"
	"unicode/utf8"

	"itemcast/internal/db"
)

const (
	minPassword = 8    // characters (NIST SP 800-63B §5.1.1.2)
	maxPassword = 1024 // bytes
)

// passwordFault says what is wrong with a password that somebody has chosen; "" when nothing is. The rules are those of NIST SP 800-63B: long
// enough, not what everybody tries first, not the user's own address, and no wish for digits or signs.
func passwordFault(password, email string) string {
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	switch {
	case len(password) > maxPassword:
		return "must be at most 1024 bytes long"
	case !db.IsText(password):
		return "must be text without U+0000"
	case utf8.RuneCountInString(password) < minPassword:
		return "must be at least 8 characters long; a few words that go together only for you are best"
	case lower == strings.ToLower(email) || lower == local:
		return "must not be the e-mail address"
	case isCommon(lower):
		return "is one that everybody tries first; choose another"
	}
	return ""
}

// isCommon knows the passwords of 8 characters and more that lead the lists of leaked ones, however often they are repeated or numbered.
func isCommon(lower string) bool {
	if strings.Count(lower, lower[:1]) == len(lower) {
		return true // one character over and over
	}
	if strings.Contains(rows, lower) {
		return true
	}
	bare := strings.TrimRight(strings.TrimLeft(lower, "0123456789!?.*_-#$ "), "0123456789!?.*_-#$ ")
	return common[lower] || common[bare] && len(lower)-len(bare) <= 4
}

// rows are what a finger goes along.
const rows = "01234567890123456789 98765432109876543210 abcdefghijklmnopqrstuvwxyz qwertyuiopasdfghjklzxcvbnm"

var common = func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(`password passw0rd p@ssword p@ssw0rd passwort motdepasse contraseña qwerty qwertyuiop qwertz qwerty123 1q2w3e4r 1q2w3e4r5t
		1qaz2wsx zaq12wsx q1w2e3r4 q1w2e3r4t5 asdfghjkl letmein welcome iloveyou sunshine princess football baseball basketball superman batman
		starwars dragon monkey shadow master michael jennifer jordan charlie computer internet trustno1 whatever pokemon administrator admin
		changeme secret default guest test tester itemcast letmeinnow abc123 abcd1234 a1b2c3d4 aa123456 password1 hallo hello freedom
		mustang corvette liverpool chelsea arsenal samsung google facebook`) {
		set[word] = true
	}
	return set
}()
