package main

import (
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"itemcast/internal/node/nodetest"
)

// values returns the flags and arguments of all commands, by command.
func values(t *testing.T) map[string][]*kong.Value {
	t.Helper()
	parser, err := newParser(&commands{}, &console{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]*kong.Value{}
	var visit func(node *kong.Node, path string)
	visit = func(node *kong.Node, path string) {
		for _, flag := range node.Flags {
			all[path] = append(all[path], flag.Value)
		}
		all[path] = append(all[path], node.Positional...)
		for _, child := range node.Children {
			visit(child, strings.TrimSpace(path+" "+child.Name))
		}
	}
	visit(parser.Model.Node, "")
	return all
}

func TestVariables_AreTheSettingsInTheOperatorsTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Configuration\n")
	table, _, _ = strings.Cut(table, "\n## ")
	want := map[string]bool{}
	for line := range strings.Lines(table) {
		if row, ok := strings.CutPrefix(line, "| `ITEMCAST_"); ok {
			names, _, _ := strings.Cut("`ITEMCAST_"+row, " | ")
			for _, name := range regexp.MustCompile(`ITEMCAST_\w+`).FindAllString(names, -1) {
				want[name] = true
			}
		}
	}
	got := map[string]bool{}
	for command, values := range values(t) {
		for _, value := range values {
			for _, variable := range value.Tag.Envs {
				got[variable] = true
			}
			if len(value.Tag.Envs) > 0 && command != "" && command != "serve" {
				t.Errorf("itemcast %s reads %v: only the server's and the database's settings are variables", command,
					value.Tag.Envs)
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the commands read\n%v, the table of docs/operating.md has\n%v", slices.Sorted(maps.Keys(got)),
			slices.Sorted(maps.Keys(want)))
	}
}

// A variable such as ITEMCAST_TYPE or ITEMCAST_VERSION may be set for another purpose.
func TestVariables_ThatAreNoSettingsChangeNoCommand(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	strays := slices.Clone(environment)
	for command, values := range values(t) {
		for _, value := range values {
			if len(value.Tag.Envs) > 0 || value.Name == "" {
				continue
			}
			name := strings.ToUpper(strings.ReplaceAll(value.Name, "-", "_"))
			strays = append(strays, "ITEMCAST_"+name+"=stray",
				"ITEMCAST_"+strings.ToUpper(strings.ReplaceAll(command, " ", "_"))+"_"+name+"=stray")
		}
	}
	code, out, errs := nodetest.RunProcess(t, strays, "import", writeItems(t, 3))
	wantExit(t, code, out, errs, 0, "3 lines: 3 created")
	code, out, errs = nodetest.RunProcess(t, strays, "export")
	wantExit(t, code, out, errs, 0, "exported 3 items")
	code, out, errs = nodetest.RunProcess(t, strays, "user", "add", "ada@example.com")
	wantExit(t, code, out, errs, 0, "Added ada@example.com as Viewer.")
	listener := nodetest.StartProcess(t, strays, "listen", "--port=0")
	listener.AwaitStdout("Nothing is verified yet")
	if code, out, errs := nodetest.RunProcess(t, strays, "import"); code == 0 || !strings.Contains(errs, "<file>") {
		t.Errorf("import without a file: %d\n%s\n%s", code, out, errs)
	}
}
