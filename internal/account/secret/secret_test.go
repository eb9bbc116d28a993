package secret_test

import (
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/account/secret"
)

func TestNew_MakesDifferentSecretsOfOneForm(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^ict_[0-9A-Za-z]{36}$`) // docs/access-tokens.md gives it to scanners
	seen := map[string]bool{}
	for range 1000 {
		made, digest := secret.New()
		if !form.MatchString(made) || seen[made] {
			t.Fatalf("%s", made)
		}
		seen[made] = true
		if parsed, ok := secret.Parse(made); !ok || parsed != digest || digest != sha256.Sum256([]byte(made)) {
			t.Fatalf("%s is not recognized", made)
		}
	}
}

// The form must not change: secrets are in use outside.
func TestParse_KnowsASecretOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	if _, ok := secret.Parse("ict_0000000000000000000000000000001rM8v0"); !ok {
		t.Error("not recognized")
	}
}

func TestParse_RefusesMistypedSecrets(t *testing.T) {
	t.Parallel()
	made, _ := secret.New()
	for at := range len(made) {
		other := byte('x')
		if made[at] == other {
			other = 'y'
		}
		if _, ok := secret.Parse(made[:at] + string(other) + made[at+1:]); ok {
			t.Errorf("a wrong character %d is not noticed", at)
		}
	}
	for _, text := range []string{"", "ict_", made[:39], made + "0", " " + made, made + "\n", strings.ToUpper(made),
		strings.Repeat("é", 20), "ict_" + strings.Repeat("é", 18)} {
		if _, ok := secret.Parse(text); ok {
			t.Errorf("%q is taken for a secret", text)
		}
	}
}
