package account

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"itemcast/internal/account/password"
	"itemcast/internal/optional"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

const (
	maxEmail    = 320 // bytes
	maxUserName = 200 // characters
)

// UserInput holds the fields of a new user. A person without a password sets one by a reset link.
type UserInput struct {
	Email    string
	Name     string
	Kind     string // "": KindPerson
	RoleID   uuid.UUID
	Password string // of a person; an API user's is generated
	Active   *bool  // nil: true

	GeneratePassword *bool // of an API user; nil: true. Without a password, it has only access tokens.
}

// normalize fills in defaults. It returns the generated password of an API user; "" for a person, and for an API user
// without a password. Errors: INVALID_INPUT and RULE_VIOLATED with every fault.
func (in *UserInput) normalize() (generated string, err error) {
	if in.Kind == "" {
		in.Kind = KindPerson
	}
	if in.Active == nil {
		in.Active = new(true)
	}
	in.Email, in.Name = plaintext.Composed(in.Email), plaintext.Composed(strings.TrimSpace(in.Name))
	var invalid, broken problem.Faults
	invalid.At("#/email", emailFault(in.Email))
	invalid.At("#/name", validate.Name(in.Name, 0, maxUserName))
	if in.Kind != KindPerson && in.Kind != KindAPI {
		invalid.At("#/kind", "must be person or api")
	}
	switch {
	case in.Kind == KindAPI && in.Password != "":
		broken.At("#/password", "must be absent: the password of an API user is generated")
	case in.Kind == KindAPI && !optional.Or(in.GeneratePassword, true):
	case in.Kind == KindAPI:
		generated = rand.Text()
		in.Password = generated
	case in.Password != "":
		broken.At("#/password", password.Fault(in.Password, in.Email))
	}
	if in.Kind == KindPerson && in.GeneratePassword != nil {
		broken.At("#/generate_password", "must be absent: only an API user has a generated password")
	}
	if err := invalid.Err(problem.InvalidInput); err != nil {
		return "", err
	}
	return generated, broken.Err(problem.RuleViolated)
}

// UserPatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type UserPatch struct {
	Email    *string    `json:"email"`
	Name     *string    `json:"name"`
	RoleID   *uuid.UUID `json:"role_id"`
	Password *string    `json:"password"`
	Active   *bool      `json:"active"`
}

// apply changes a user, except for the role. Errors: INVALID_INPUT and RULE_VIOLATED with every fault.
func (p UserPatch) apply(user *User) error {
	set(&user.Email, p.Email)
	set(&user.Active, p.Active)
	var invalid, broken problem.Faults
	if p.Email != nil {
		user.Email = plaintext.Composed(user.Email)
		invalid.At("#/email", emailFault(user.Email))
	}
	if p.Name != nil {
		user.Name = plaintext.Composed(strings.TrimSpace(*p.Name))
		invalid.At("#/name", validate.Name(user.Name, 0, maxUserName))
	}
	switch {
	case p.Password == nil:
	case user.Kind == KindAPI:
		broken.At("#/password", "cannot be set for an API user; use rotate-password")
	default:
		broken.At("#/password", password.Fault(*p.Password, user.Email))
	}
	return errors.Join(invalid.Err(problem.InvalidInput), broken.Err(problem.RuleViolated))
}

// emailFormat excludes colons: HTTP Basic splits at the first one (RFC 7617 §2).
var emailFormat = regexp.MustCompile(`^[^\s:@]+@[^\s:@]+$`)

// emailFault returns what is wrong with an address, as the detail of a fault; "" when nothing is.
func emailFault(email string) string {
	if !emailFormat.MatchString(email) || len(email) > maxEmail || validate.Storable(email) != "" ||
		strings.ContainsFunc(email, isInvisible) {
		return fmt.Sprintf("must be an e-mail address of at most %d bytes, without colons or invisible characters", maxEmail)
	}
	return ""
}

// isInvisible includes joiners, which a name may contain but an address may not.
func isInvisible(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }
