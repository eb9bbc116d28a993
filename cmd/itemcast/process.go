package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"itemcast/internal/node"
)

type processCommand struct {
	storageFlag
	Jobs     processJobs   `help:"Items that are processed at once. auto: one for each 4 cores." default:"auto"`
	OpsAddr  string        `help:"Address for operators: /livez /readyz /metrics /debug/pprof. Empty: none." env:"ITEMCAST_OPS_ADDR" default:"127.0.0.1:8081"`
	DrainFor time.Duration `help:"How long items in progress may take after SIGTERM. Then another node begins them again." default:"20s"`
}

// Help is shown by process --help.
func (*processCommand) Help() string {
	return "Takes the steps process of workflows, as servers do, and nothing else. It needs the servers' " +
		"ITEMCAST_DATABASE_URL and ITEMCAST_STORAGE_URL, and ffmpeg and vips. Run it on as many machines as you like. " +
		"When one dies, another begins its items again."
}

// Validate checks the limits of the flags. Kong calls it.
func (p *processCommand) Validate() error {
	switch {
	case p.Jobs == noJobs:
		return errors.New("--jobs (ITEMCAST_PROCESS_JOBS) must be auto, or 1 or more: 0 is for servers")
	case p.DrainFor < 0:
		return errors.New("--drain-for (ITEMCAST_PROCESS_DRAIN_FOR) must be 0s or more")
	}
	return nil
}

// Run processes media until ctx ends, then finishes the items in progress, or gives them back.
func (p *processCommand) Run(ctx context.Context, c *console, d *database) error {
	database := d.config(c.log)
	database.Shared = true
	jobs := cmp.Or(int(p.Jobs), node.DefaultProcessJobs())
	err := node.Process(ctx, node.ProcessConfig{
		Config: node.Config{PublicURL: string(d.PublicURL), Version: version, StorageURL: p.storage(d),
			Scratch: scratch(d), ProcessJobs: jobs, Log: c.log},
		Database: database,
		OpsAddr:  p.OpsAddr,
		DrainFor: p.DrainFor,
		Ready: func() {
			_, _ = fmt.Fprintf(c.out, "Itemcast processes media, up to %d at once.\n", jobs)
		},
	})
	if err == nil {
		c.log.Info("processing has stopped")
	}
	return err
}
