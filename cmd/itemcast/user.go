package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"itemcast/internal/account"
	"itemcast/internal/node"
	"itemcast/internal/plaintext"
)

// userCommand works on the users of the first account, as the operator, with every permission. The last administrator
// cannot be removed.
type userCommand struct {
	List        userList        `cmd:"" help:"List users."`
	Add         userAdd         `cmd:"" help:"Add a person (prints a link to set a password) or an API user (prints its password once)."`
	SetPassword userSetPassword `cmd:"" help:"Set a person's password, read from standard input, or print a new one for an API user. Ends the user's sessions."`
	SetRole     userSetRole     `cmd:"" help:"Change a user's role."`
	Disable     userDisable     `cmd:"" help:"Disable a user. The user's open connections end within a second."`
	Enable      userEnable      `cmd:"" help:"Enable a user."`
	ResetLink   userResetLink   `cmd:"" help:"Print a link to set a person's password; it works once, for 24 hours."`
}

// named holds the argument that names a user.
type named struct {
	Email string `arg:"" help:"The user's e-mail address."`
}

// change calls fn with the user of the address.
func (u *named) change(ctx context.Context, c *console, d *database,
	fn func(ctx context.Context, s *account.Service, user account.User) error) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		user, err := n.Account.UserByEmail(ctx, u.Email)
		if err != nil {
			return err
		}
		return fn(ctx, n.Account, user)
	})
}

type userList struct{}

// Run prints all users, newest first.
func (userList) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		page := func(after string) ([]account.User, string, error) {
			return n.Account.Users(ctx, account.UserFilter{}, tablePageSize, after)
		}
		return printTable(c, "EMAIL\tNAME\tKIND\tROLE\tSTATE", page, func(u account.User) string {
			return strings.Join([]string{plaintext.Show(u.Email), plaintext.Show(u.Name), u.Kind, plaintext.Show(u.Role),
				state(u)}, "\t")
		})
	})
}

// tablePageSize is the number of rows that printTable reads at a time.
const tablePageSize = 200

// printTable prints the rows of all pages in columns.
func printTable[Row any](c *console, head string, page func(after string) (rows []Row, next string, err error),
	line func(Row) string) error {
	out := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, head)
	for after := ""; ; {
		rows, next, err := page(after)
		if err != nil {
			return err
		}
		for _, row := range rows {
			fmt.Fprintln(out, line(row))
		}
		if after = next; next == "" {
			return out.Flush()
		}
	}
}

func state(u account.User) string {
	switch {
	case !u.Active:
		return "disabled"
	case !u.HasPassword && u.Kind == account.KindAPI:
		return "access tokens only"
	case !u.HasPassword:
		return "no password yet"
	}
	return "active"
}

type userAdd struct {
	named
	Name string `help:"The user's name." placeholder:"NAME"`
	Role string `help:"Name of the user's role." default:"Viewer"`
	API  bool   `help:"Add an API user: its password is generated, and it cannot sign in on pages." name:"api"`

	NoPassword bool `help:"With --api: no password. The user works with access tokens (itemcast token create)."`
}

// Run adds a user.
func (u *userAdd) Run(ctx context.Context, c *console, d *database) error {
	if u.NoPassword && !u.API {
		return errors.New("--no-password is for API users: add --api, or give the person the link that is printed without it")
	}
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		role, err := n.Account.RoleByName(ctx, u.Role)
		if err != nil {
			return err
		}
		in := account.UserInput{Email: u.Email, Name: u.Name, RoleID: role.ID}
		if u.API {
			in.Kind, in.GeneratePassword = account.KindAPI, new(!u.NoPassword)
		}
		user, password, err := n.Account.CreateUser(ctx, in)
		if err != nil {
			return namingFaults(err)
		}
		fmt.Fprintf(c.out, "Added %s as %s.\n", user.Email, user.Role)
		switch {
		case u.NoPassword:
			fmt.Fprintf(c.out, "It works with access tokens: itemcast token create %s --name=NAME\n", user.Email)
			return nil
		case u.API:
			fmt.Fprintf(c.out, "Password  %s     (shown this once)\n", password)
			return nil
		}
		return printLink(ctx, c, n.Account, user)
	})
}

type userSetPassword struct{ named }

// Run sets a password.
func (u *userSetPassword) Run(ctx context.Context, c *console, d *database) error {
	return u.change(ctx, c, d, func(ctx context.Context, s *account.Service, user account.User) error {
		if user.Kind == account.KindAPI {
			password, err := s.RotatePassword(ctx, user.ID)
			if err == nil {
				fmt.Fprintf(c.out, "Password  %s     (shown this once)\n", password)
			}
			return err
		}
		password, err := readPassword(c.err, "New password of "+user.Email)
		if err != nil {
			return err
		}
		if _, err = s.PatchUser(ctx, user.ID, account.UserPatch{Password: &password}, nil); err != nil {
			return namingFaults(err)
		}
		fmt.Fprintf(c.out, "The password of %s is set.\n", user.Email)
		return nil
	})
}

// readPassword reads a line from standard input; a terminal does not echo it.
func readPassword(prompt io.Writer, question string) (string, error) {
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		fmt.Fprintf(prompt, "%s: ", question)
		password, err := term.ReadPassword(fd)
		fmt.Fprintln(prompt)
		return string(password), err
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	if line == "" {
		return "", errors.New("standard input was empty: send the password as a line")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type userSetRole struct {
	named
	Role string `arg:"" help:"The role's name."`
}

// Run changes the role.
func (u *userSetRole) Run(ctx context.Context, c *console, d *database) error {
	return u.change(ctx, c, d, func(ctx context.Context, s *account.Service, user account.User) error {
		role, err := s.RoleByName(ctx, u.Role)
		if err != nil {
			return err
		}
		if _, err := s.PatchUser(ctx, user.ID, account.UserPatch{RoleID: &role.ID}, nil); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s now has the role %s.\n", user.Email, role.Name)
		return nil
	})
}

type userDisable struct{ named }

// Run disables a user.
func (u *userDisable) Run(ctx context.Context, c *console, d *database) error {
	return u.setActive(ctx, c, d, false, "%s is disabled.\n")
}

type userEnable struct{ named }

// Run enables a user.
func (u *userEnable) Run(ctx context.Context, c *console, d *database) error {
	return u.setActive(ctx, c, d, true, "%s is enabled.\n")
}

func (u *named) setActive(ctx context.Context, c *console, d *database, active bool, done string) error {
	return u.change(ctx, c, d, func(ctx context.Context, s *account.Service, user account.User) error {
		if _, err := s.PatchUser(ctx, user.ID, account.UserPatch{Active: &active}, nil); err != nil {
			return err
		}
		fmt.Fprintf(c.out, done, user.Email)
		return nil
	})
}

type userResetLink struct{ named }

// Run creates a reset link and prints it.
func (u *userResetLink) Run(ctx context.Context, c *console, d *database) error {
	return u.change(ctx, c, d, func(ctx context.Context, s *account.Service, user account.User) error {
		if user.Kind == account.KindAPI {
			return fmt.Errorf("%[1]s is an API user, which has no reset link: itemcast user set-password %[1]s prints a new "+
				"password", user.Email)
		}
		return printLink(ctx, c, s, user)
	})
}

func printLink(ctx context.Context, c *console, s *account.Service, user account.User) error {
	link, err := s.ResetLink(ctx, user.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s can set a password here, once, until %s:\n%s\n", user.Email,
		link.ExpiresAt.Local().Format("2006-01-02 15:04:05 MST"), link.URL)
	return nil
}
