package postgres

import (
	"maps"
	"slices"
	"strconv"
)

// defaults suit a machine that Postgres shares with Itemcast and ffmpeg. They are passed on the command line instead of
// postgresql.conf, so that a new release of Itemcast can change them for existing data directories.
var defaults = map[string]string{
	"max_connections":                  "200",
	"shared_buffers":                   "128MB",
	"effective_cache_size":             "512MB",
	"maintenance_work_mem":             "64MB",
	"wal_compression":                  "on",
	"max_wal_size":                     "1GB",
	"random_page_cost":                 "1.1", // SSDs
	"jit":                              "off", // compilation costs more than our short statements
	"fsync":                            "on",
	"synchronous_commit":               "on",
	"full_page_writes":                 "on",
	"timezone":                         "UTC",
	"log_timezone":                     "UTC",
	"lc_messages":                      "C", // awaitReady and create match messages
	"log_checkpoints":                  "off",
	"log_min_error_statement":          "panic", // statements may contain personal data and secrets
	"client_connection_check_interval": "10s",
}

// settings returns the command-line options of a launch: the defaults, overridden by extra, overridden by what the
// package depends on.
func settings(port int, identity string, extra map[string]string) []string {
	s := maps.Clone(defaults)
	maps.Copy(s, extra)
	maps.Copy(s, map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": "",
		"cluster_name":            identity,
		"logging_collector":       "off",
		"log_destination":         "stderr",
		"log_line_prefix":         "",
	})
	var options []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		options = append(options, "-c", name+"="+s[name])
	}
	return options
}
