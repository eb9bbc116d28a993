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

// roleCommand works on the roles of the first account, as the operator. The operator has every permission, and so can
// grant one that no user has.
type roleCommand struct {
	List   roleList   `cmd:"" help:"List roles and their permissions."`
	Grant  roleGrant  `cmd:"" help:"Grant permissions to a role, even those that no user has."`
	Revoke roleRevoke `cmd:"" help:"Revoke permissions from a role."`
}

type roleList struct{}

// Run prints all roles, newest first.
func (roleList) Run(ctx context.Context, c *console, d *database) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		page := func(after string) ([]account.Role, string, error) { return n.Account.Roles(ctx, tablePageSize, after) }
		return printTable(c, "ROLE\tPERMISSIONS", page, func(r account.Role) string {
			return plaintext.Show(r.Name) + "\t" + strings.Join(r.Permissions, " ")
		})
	})
}

// rolePermissions holds the arguments that name a role and permissions.
type rolePermissions struct {
	Role        string   `arg:"" help:"The role's name."`
	Permissions []string `arg:"" name:"permission" help:"Any of ${enum}." enum:"${permissions}"`
}

// change replaces the role's permissions by what edit returns for the present ones.
func (p *rolePermissions) change(
	ctx context.Context, c *console, d *database, edit func(before []string) []string,
) error {
	return d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		role, err := n.Account.RoleByName(ctx, p.Role)
		if err != nil {
			return err
		}
		role, err = n.Account.PatchRole(ctx, role.ID, account.RolePatch{Permissions: new(edit(role.Permissions))},
			revision.Is(role.Revision))
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s now has %s.\n", plaintext.Show(role.Name),
			cmp.Or(strings.Join(role.Permissions, " "), "no permissions"))
		return nil
	})
}

type roleGrant struct{ rolePermissions }

// Run grants permissions.
func (r *roleGrant) Run(ctx context.Context, c *console, d *database) error {
	return r.change(ctx, c, d, func(before []string) []string { return slices.Concat(before, r.Permissions) })
}

type roleRevoke struct{ rolePermissions }

// Run revokes permissions.
func (r *roleRevoke) Run(ctx context.Context, c *console, d *database) error {
	return r.change(ctx, c, d, func(before []string) []string {
		return slices.DeleteFunc(before, func(p string) bool { return slices.Contains(r.Permissions, p) })
	})
}
