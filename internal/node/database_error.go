package node

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const databaseSetting = "--database-url (ITEMCAST_DATABASE_URL)"

// explainDatabase returns an error of the connection to a database of the setting, in words that say what to change.
// It omits the password.
func explainDatabase(url string, err error) error {
	config, parseErr := pgxpool.ParseConfig(url)
	if parseErr != nil {
		return fmt.Errorf("set %s to a URL such as postgres://user:password@host:5432/itemcast: %w", databaseSetting,
			parseErr)
	}
	refused, isRefused := errors.AsType[*pgconn.PgError](err)
	connection, isConnection := errors.AsType[*pgconn.ConnectError](err)
	if !isConnection {
		return fmt.Errorf("%w (%s)", err, databaseSetting)
	}
	conn := config.ConnConfig
	at := net.JoinHostPort(conn.Host, strconv.Itoa(int(conn.Port)))
	switch {
	case !isRefused:
		return fmt.Errorf("no Postgres answers at %s: start it, or correct %s (%w)", at, databaseSetting, cause(connection))
	case refused.Code == "3D000": // invalid_catalog_name
		return fmt.Errorf("the Postgres at %s has no database %q: create it with createdb, or correct %s", at, conn.Database,
			databaseSetting)
	case refused.Code == "28P01", refused.Code == "28000": // invalid_password, invalid_authorization_specification
		return fmt.Errorf("the Postgres at %s refuses the user %q or the password: correct %s (%s)", at, conn.User,
			databaseSetting, refused.Message)
	}
	return fmt.Errorf("the Postgres at %s refuses the connection of %s: %s", at, databaseSetting, refused.Message)
}

// cause returns the error of the network, without pgx's list of every address that it tried.
func cause(err *pgconn.ConnectError) error {
	if network, ok := errors.AsType[*net.OpError](error(err)); ok {
		return network.Err
	}
	return err.Unwrap()
}
