package account

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"itemcast/internal/account/password"
	"itemcast/internal/mergepatch"
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

	DefaultWorkflowProfileID *uuid.UUID
}

// normalize fills in defaults. It returns the generated password of an API user; "" for a person, and for an API user
// without a password. Broken are the faults against rules that need no database. Error: INVALID_INPUT with every fault.
func (in *UserInput) normalize() (generated string, broken problem.Faults, err error) {
	if in.Kind == "" {
		in.Kind = KindPerson
	}
	if in.Active == nil {
		in.Active = new(true)
	}
	in.Email, in.Name = plaintext.Composed(in.Email), plaintext.Composed(strings.TrimSpace(in.Name))
	var invalid problem.Faults
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
	return generated, broken, invalid.Err(problem.InvalidInput)
}

// UserPatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type UserPatch struct {
	Email    *string    `json:"email"`
	Name     *string    `json:"name"`
	RoleID   *uuid.UUID `json:"role_id"`
	Password *string    `json:"password"`
	Active   *bool      `json:"active"`

	DefaultWorkflowProfileID mergepatch.Nullable[uuid.UUID] `json:"default_workflow_profile_id"`
}

// apply changes a user. Broken are the faults against rules that need no database. Error: INVALID_INPUT with every
// fault.
func (p UserPatch) apply(user *User) (broken problem.Faults, err error) {
	set(&user.Email, p.Email)
	set(&user.Active, p.Active)
	set(&user.RoleID, p.RoleID)
	if p.DefaultWorkflowProfileID.Named {
		user.DefaultWorkflowProfileID = p.DefaultWorkflowProfileID.Value
	}
	var invalid problem.Faults
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
	return broken, invalid.Err(problem.InvalidInput)
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
