package nodetest

import (
	"fmt"
)

// everyRoute calls every operation on one thing.
func ForEachRoute(call func(method, path, body string, header ...string) Response, id string, check func(name string, got Response)) {
	for _, c := range [][3]string{
		{"GET", "/items/%s", ""}, {"PUT", "/items/%s", `{"name":"x"}`}, {"PATCH", "/items/%s", `{"name":"x"}`}, {"DELETE", "/items/%s", ""},
		{"GET", "/items/%s/history", ""}, {"POST", "/items/%s/trigger-hook", ""}, {"GET", "/hooks/%s", ""}, {"DELETE", "/hooks/%s", ""},
		{"GET", "/metadata-fields/%s", ""}, {"PATCH", "/metadata-fields/%s", `{"label":"x"}`}, {"DELETE", "/metadata-fields/%s", ""},
	} {
		path := "/api/v1" + fmt.Sprintf(c[1], id)
		check(c[0]+" "+path, call(c[0], path, c[2]))
	}
}
