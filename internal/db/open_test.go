package db

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestConfigure_KeepsTheParametersOfTheURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]struct {
		minConns, maxConns int32
		name               string
	}{
		"postgres://db/itemcast": {8, 1 << 20, "itemcast"},
		"postgres://db/itemcast?pool_max_conns=3&application_name=mine": {3, 3, "mine"},
	} {
		config, err := pgxpool.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		configure(config, url)
		if config.MaxConns < want.minConns || config.MaxConns > want.maxConns {
			t.Errorf("%s: %d connections", url, config.MaxConns)
		}
		if got := config.ConnConfig.RuntimeParams["application_name"]; got != want.name {
			t.Errorf("%s: application_name %q", url, got)
		}
	}
}

func TestCheckVersion_RefusesAnOldPostgres(t *testing.T) {
	t.Parallel()
	err := checkVersion(13_00_22, "13.22")
	if err == nil || !strings.Contains(err.Error(), "Postgres 13.22, and itemcast needs 14") {
		t.Errorf("got %v", err)
	}
	if err := checkVersion(14_00_00, "14.0"); err != nil {
		t.Error(err)
	}
}
