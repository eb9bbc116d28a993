package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/hook/egress"
	"itemcast/internal/node"
	"itemcast/internal/problem"
)

type serveCommand struct {
	storageFlag
	Addr               string        `help:"Address to listen on." env:"ITEMCAST_ADDR" default:"127.0.0.1:8080"`
	OpsAddr            string        `help:"Address for operators: /livez /readyz /metrics /debug/pprof. Empty: none." env:"ITEMCAST_OPS_ADDR" default:"127.0.0.1:8081"`
	AdminEmail         string        `help:"E-mail address of the administrator that the first start creates." env:"ITEMCAST_ADMIN_EMAIL" default:"admin@example.com"`
	AdminPassword      string        `help:"That administrator's password. Empty: a random one, printed once." env:"ITEMCAST_ADMIN_PASSWORD"`
	ConnectionsPerUser int           `help:"Maximum number of WebSockets and event streams of a user, or of an access token, on this node, and of their distinct subscriptions." env:"ITEMCAST_CONNECTIONS_PER_USER" default:"1000"`
	LogKeepFor         time.Duration `help:"How long the change log retains changes (up to a tenth longer), for cursors, hooks and histories. 0: no limit." env:"ITEMCAST_LOG_KEEP_FOR" default:"720h"`
	LogKeepSize        byteSize      `help:"Size limit of the change log, such as 20GB; the oldest changes are deleted first. 0: no limit." env:"ITEMCAST_LOG_KEEP_SIZE" default:"0"`
	AuditKeepFor       time.Duration `help:"How long the audit log retains entries. 0: no limit." env:"ITEMCAST_AUDIT_KEEP_FOR" default:"8760h"`
	MediaKeepFor       time.Duration `help:"How long the files of deleted items and assets are retained." env:"ITEMCAST_MEDIA_KEEP_FOR" default:"24h"`
	UploadMaxSize      byteSize      `help:"Size limit of an upload with a ticket, such as 20GB." env:"ITEMCAST_UPLOAD_MAX_SIZE" default:"100GiB"`
	ProcessJobs        processJobs   `help:"Items whose media this server processes at once. auto: one for each 4 cores. 0: none, for itemcast process to do." env:"ITEMCAST_PROCESS_JOBS" default:"auto"`
	UploadDrafts       bool          `help:"Let resumable uploads also speak the IETF drafts of resumable HTTP uploads, whose form may change." env:"ITEMCAST_UPLOAD_DRAFTS"`
	TrustedProxies     []network     `help:"Networks of proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8 or 10.0.0.1." env:"ITEMCAST_TRUSTED_PROXIES" placeholder:"CIDR,…"`
	HookAllowNetworks  []network     `help:"Private networks that hooks may reach, such as 127.0.0.0/8." env:"ITEMCAST_HOOK_ALLOW_NETWORKS" placeholder:"CIDR,…"`
	HookAllowPorts     egress.Ports  `help:"Ports that hooks may reach." env:"ITEMCAST_HOOK_ALLOW_PORTS" default:"80,443,1024-65535"`
}

// Validate checks the limits of the flags. Kong calls it.
func (s *serveCommand) Validate() error {
	switch {
	case s.ConnectionsPerUser < 1:
		return errors.New("--connections-per-user (ITEMCAST_CONNECTIONS_PER_USER) must be 1 or more")
	case s.LogKeepFor < 0 || s.LogKeepFor > 0 && s.LogKeepFor < time.Hour:
		return errors.New("--log-keep-for (ITEMCAST_LOG_KEEP_FOR) must be 1h or more, or 0 for no limit")
	case s.AuditKeepFor < 0 || s.AuditKeepFor > 0 && s.AuditKeepFor < time.Hour:
		return errors.New("--audit-keep-for (ITEMCAST_AUDIT_KEEP_FOR) must be 1h or more, or 0 for no limit")
	case s.MediaKeepFor < time.Minute:
		return errors.New("--media-keep-for (ITEMCAST_MEDIA_KEEP_FOR) must be 1m or more: downloads may be under way")
	case s.UploadMaxSize < 1<<20:
		return errors.New("--upload-max-size (ITEMCAST_UPLOAD_MAX_SIZE) must be 1MiB or more")
	case s.LogKeepSize > 0 && s.LogKeepSize < 100<<20:
		return errors.New("--log-keep-size (ITEMCAST_LOG_KEEP_SIZE) must be 100MiB or more, or 0 for no limit")
	}
	return nil
}

// Run serves until ctx ends, then finishes the requests in progress.
func (s *serveCommand) Run(ctx context.Context, c *console, d *database) error {
	database := d.config(c.log)
	database.First = func() error { return account.CheckFirst(s.AdminEmail, s.AdminPassword) }
	err := node.Serve(ctx, node.ServeConfig{
		Config: node.Config{
			PublicURL:          string(d.PublicURL),
			Version:            version,
			ConnectionsPerUser: s.ConnectionsPerUser,
			Retention:          change.Retention{MaxAge: s.LogKeepFor, MaxBytes: int64(s.LogKeepSize)},
			AuditKeepFor:       s.AuditKeepFor,
			UploadMaxSize:      int64(s.UploadMaxSize),
			UploadDrafts:       s.UploadDrafts,
			HookReach:          egress.Policy{Networks: prefixes(s.HookAllowNetworks), Ports: s.HookAllowPorts},
			TrustedProxies:     prefixes(s.TrustedProxies),
			StorageURL:         s.storage(d),
			MediaKeepFor:       s.MediaKeepFor,
			Scratch:            scratch(d),
			ProcessJobs:        int(s.ProcessJobs),
			Log:                c.log,
		},
		Database:      database,
		Addr:          s.Addr,
		OpsAddr:       s.OpsAddr,
		AdminEmail:    s.AdminEmail,
		AdminPassword: s.AdminPassword,
		Ready:         func(started node.Started) { s.greet(c, started) },
	})
	if err == nil {
		c.log.Info("the server has stopped")
	}
	return namingAdministrator(err)
}

// administratorSettings are the settings of the first administrator, by the field of a user that they set.
var administratorSettings = map[string]string{
	"#/email": "--admin-email (ITEMCAST_ADMIN_EMAIL)", "#/password": "--admin-password (ITEMCAST_ADMIN_PASSWORD)",
}

// namingAdministrator names the settings in the faults of the first administrator, whom a first start creates.
func namingAdministrator(err error) error {
	p := problem.Of(err)
	if p == nil || len(p.Faults) == 0 {
		return err
	}
	var faults []string
	for _, fault := range p.Faults {
		faults = append(faults, administratorSettings[fault.Pointer]+" "+fault.Detail)
	}
	return errors.New(strings.Join(faults, "; "))
}

func (s *serveCommand) greet(c *console, started node.Started) {
	publicURL, first := started.PublicURL, started.First
	_, _ = fmt.Fprintf(c.out, "\n  Itemcast is ready at %s\n\n", publicURL)
	_, _ = fmt.Fprintf(c.out, "    playground  %s/graphql\n", publicURL)
	_, _ = fmt.Fprintf(c.out, "    REST API    %s/api/v1/items\n", publicURL)
	_, _ = fmt.Fprintf(c.out, "    contract    %s/api/v1/openapi.json\n", publicURL)
	if s.OpsAddr != "" {
		_, _ = fmt.Fprintf(c.out, "    operators   http://%s/metrics (and /livez, /readyz, /debug/pprof)\n",
			node.Reachable(s.OpsAddr))
	}
	if started.Addr != s.Addr {
		_, _ = fmt.Fprintf(c.out, "    listening   %s\n", started.Addr)
	}
	_, _ = fmt.Fprintln(c.out)
	switch {
	case first == nil:
		_, _ = fmt.Fprintf(c.out, "  Sign in as before: the first start set the administrator's password.\n"+
			"  To set another: itemcast user set-password EMAIL\n")
		if s.AdminPassword != "" {
			_, _ = fmt.Fprintf(c.out, "  ITEMCAST_ADMIN_PASSWORD is ignored: it is for the first start only.\n")
		}
	case first.Password == "":
		_, _ = fmt.Fprintf(c.out, "  Sign in as %s with the password of ITEMCAST_ADMIN_PASSWORD.\n", first.Email)
	default:
		_, _ = fmt.Fprintf(c.out, "  Sign in as   %s\n  Password     %s     (shown this once)\n", first.Email, first.Password)
	}
	if len(s.HookAllowNetworks) > 0 {
		_, _ = fmt.Fprintf(c.out, "  Hooks may reach the private networks %v (ITEMCAST_HOOK_ALLOW_NETWORKS).\n",
			s.HookAllowNetworks)
	}
	_, _ = fmt.Fprintln(c.out)
}
