package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/node"
	"itemcast/internal/plaintext"
	"itemcast/internal/revision"
)

// roleCommand works on the roles of the first account, as the operator, who has every permission: one that nobody has any more can be given
// by nobody else.
type roleCommand struct {
	List   roleList   `cmd:"" help:"List roles, and what they allow."`
	Grant  roleGrant  `cmd:"" help:"Give a role permissions, also such as nobody has any more."`
	Revoke roleRevoke `cmd:"" help:"Take permissions from a role."`
}

type roleList struct{}

// Run prints all roles, the oldest last.
func (roleList) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		page := func(after string) ([]account.Role, string, error) { return n.Account.Roles(ctx, pageOfTable, after) }
		return printTable(c, "ROLE\tPERMISSIONS", page, func(r account.Role) string {
			return plaintext.Show(r.Name) + "\t" + strings.Join(r.Permissions, " ")
		})
	})
}

// permitted names a role, and the permissions that a command is about.
type permitted struct {
	Role        string   `arg:"" help:"The role's name."`
	Permissions []string `arg:"" name:"permission" help:"Any of ${enum}." enum:"${permissions}"`
}

// change gives the role other permissions.
func (p *permitted) change(ctx context.Context, c *console, d *database, to func(before []string) []string) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		role, err := n.Account.RoleByName(ctx, p.Role)
		if err != nil {
			return err
		}
		role, err = n.Account.PatchRole(ctx, role.ID, account.RolePatch{Permissions: new(to(role.Permissions))}, revision.Is(role.Revision))
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s has %s now.\n", plaintext.Show(role.Name), cmp.Or(strings.Join(role.Permissions, " "), "no permissions"))
		return nil
	})
}

type roleGrant struct{ permitted }

// Run gives permissions.
func (r *roleGrant) Run(ctx context.Context, c *console, d *database) error {
	return r.change(ctx, c, d, func(before []string) []string { return slices.Concat(before, r.Permissions) })
}

type roleRevoke struct{ permitted }

// Run takes permissions.
func (r *roleRevoke) Run(ctx context.Context, c *console, d *database) error {
	return r.change(ctx, c, d, func(before []string) []string {
		return slices.DeleteFunc(before, func(p string) bool { return slices.Contains(r.Permissions, p) })
	})
}
