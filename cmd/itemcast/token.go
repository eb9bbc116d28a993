package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/node"
	"itemcast/internal/plainjson"
	"itemcast/internal/plaintext"
	"itemcast/internal/token"
)

// tokenCommand works on the access tokens of the first account, as the operator.
type tokenCommand struct {
	List   tokenList   `cmd:"" help:"List access tokens."`
	Show   tokenShow   `cmd:"" help:"Show an access token, without its secret."`
	Create tokenCreate `cmd:"" help:"Create an access token for a user, and print its secret once."`
	Rotate tokenRotate `cmd:"" help:"Print a new secret, once. The old one works for 24 hours more."`
	Revoke tokenRevoke `cmd:"" help:"Revoke an access token. What is open with it ends within a second."`
}

type tokenList struct {
	User string `help:"Only tokens that act for the user with this e-mail address." placeholder:"EMAIL"`
}

// Run prints access tokens, newest first.
func (l *tokenList) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		var user *uuid.UUID
		if l.User != "" {
			found, err := n.Account.UserByEmail(ctx, l.User)
			if err != nil {
				return err
			}
			user = &found.ID
		}
		page := func(after string) ([]token.Token, string, error) {
			return n.Tokens.List(ctx, user, tablePageSize, after)
		}
		head := "ID\tNAME\tUSER\tPERMISSIONS\tFILTER\tORIGINS\tEXPIRES\tLAST USED\tFROM\tREQUESTS/DAY"
		return printTable(c, head, page, tokenLine)
	})
}

func tokenLine(t token.Token) string {
	return strings.Join([]string{t.ID.String(), plaintext.Show(t.Name), plaintext.Show(t.User),
		strings.Join(t.Permissions, " "), shownFilter(t), shownOrigins(t), shownTime(t.ExpiresAt, "never"),
		cmp.Or(t.LastUsedOn, "never"), cmp.Or(t.LastUsedFrom, "-"), strconv.FormatInt(t.RequestsLastDay, 10)}, "\t")
}

// id is an id in an argument.
type id uuid.UUID

// UnmarshalText parses a UUID.
func (i *id) UnmarshalText(text []byte) error {
	parsed, err := uuid.ParseBytes(text)
	if err != nil {
		return fmt.Errorf("%q must be an id (UUID), as itemcast token list shows it", text)
	}
	*i = id(parsed)
	return nil
}

// tokenID holds the argument that names a token.
type tokenID struct {
	ID id `arg:"" help:"The token's id, as itemcast token list shows it."`
}

type tokenShow struct{ tokenID }

// Run prints an access token, a line for each setting.
func (s *tokenShow) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		t, err := n.Tokens.Get(ctx, uuid.UUID(s.ID))
		if err != nil {
			return err
		}
		return printToken(c, t)
	})
}

func printToken(c *console, t token.Token) error {
	out := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"Id", t.ID.String()}, {"Name", plaintext.Show(t.Name)}, {"User", plaintext.Show(t.User)},
		{"Permissions", strings.Join(t.Permissions, " ")}, {"Filter", shownFilter(t)}, {"Origins", shownOrigins(t)},
		{"Requests a minute", strconv.Itoa(int(t.RequestsPerMinute))}, {"Expires", shownTime(t.ExpiresAt, "never")},
		{"Old secret works until", shownTime(t.OldSecretUntil, "-")},
		{"Last used", cmp.Or(t.LastUsedOn, "never")}, {"Last used from", cmp.Or(t.LastUsedFrom, "-")},
		{"Requests in the last day", strconv.FormatInt(t.RequestsLastDay, 10)},
	} {
		fmt.Fprintln(out, line[0]+"\t"+line[1])
	}
	return out.Flush()
}

func shownFilter(t token.Token) string {
	if t.Filter == nil {
		return "all items"
	}
	raw, _ := plainjson.Marshal(t.Filter) // never fails: it has texts and times only
	return plaintext.Show(string(raw))
}

func shownOrigins(t token.Token) string { return cmp.Or(strings.Join(t.Origins, " "), "none") }

func shownTime(at *time.Time, none string) string {
	if at == nil {
		return none
	}
	return at.Local().Format("2006-01-02 15:04:05 MST")
}

type tokenCreate struct {
	User              string   `arg:"" help:"E-mail address of the user for whom the token acts."`
	Name              string   `help:"What the token is for." required:"" placeholder:"NAME"`
	Permissions       []string `help:"What the token may do, as far as its user may: any of ${enum}." enum:"${permissions}" default:"items.view"`
	Origins           []string `help:"Origins of the pages that may use the token, such as https://example.com. Default: no page of another origin, but any other client." placeholder:"ORIGIN"`
	RequestsPerMinute int32    `help:"Maximum requests a minute." default:"600"`
	Expires           *instant `help:"When the token expires, such as 2027-01-31T12:00:00Z. Default: never." placeholder:"TIME"`
	itemFlags
}

// Run creates a token and prints it with its secret.
func (t *tokenCreate) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		user, err := n.Account.UserByEmail(ctx, t.User)
		if err != nil {
			return err
		}
		input, err := json.Marshal(struct {
			UserID uuid.UUID `json:"user_id"`
			token.Settings
		}{user.ID, t.settings()})
		if err != nil {
			return fmt.Errorf("encode the settings: %w", err)
		}
		made, secret, err := n.Tokens.Create(ctx, input)
		if err != nil {
			return namingFaults(err)
		}
		if err := printToken(c, made); err != nil {
			return err
		}
		printSecret(c, secret)
		return nil
	})
}

func (t *tokenCreate) settings() token.Settings {
	settings := token.Settings{Name: t.Name, Permissions: t.Permissions, Origins: t.Origins,
		RequestsPerMinute: t.RequestsPerMinute, ExpiresAt: (*time.Time)(t.Expires)}
	if filter := t.filter(); !filter.IsZero() {
		settings.Filter = &filter
	}
	return settings
}

func printSecret(c *console, secret string) {
	fmt.Fprintf(c.out, "Secret  %s     (shown this once)\n", secret)
}

type tokenRotate struct {
	tokenID
	Revoke bool `help:"Revoke the old secret at once, for example because it has leaked."`
}

// Run gives a token a new secret and prints it.
func (r *tokenRotate) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		secret, until, err := n.Tokens.Rotate(ctx, uuid.UUID(r.ID), r.Revoke)
		if err != nil {
			return err
		}
		printSecret(c, secret)
		if until != nil {
			fmt.Fprintf(c.out, "The old secret works until %s.\n", shownTime(until, ""))
		}
		return nil
	})
}

type tokenRevoke struct{ tokenID }

// Run revokes a token.
func (r *tokenRevoke) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		t, err := n.Tokens.Get(ctx, uuid.UUID(r.ID))
		if err != nil {
			return err
		}
		if err := n.Tokens.Revoke(ctx, uuid.UUID(r.ID), nil); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "The token %s of %s is revoked.\n", plaintext.Show(t.Name), plaintext.Show(t.User))
		return nil
	})
}
