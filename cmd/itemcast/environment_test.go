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
	got, shared := map[string]bool{}, map[string]string{"ops-addr": "ITEMCAST_OPS_ADDR", "storage-url": "ITEMCAST_STORAGE_URL"}
	for command, values := range values(t) {
		for _, value := range values {
			own := "ITEMCAST_" + strings.ReplaceAll(upper(command), " ", "_") + "_" + upper(value.Name)
			switch {
			case command == "" || command == "serve":
				for _, variable := range value.Tag.Envs {
					got[variable] = true
				}
			case command == "process" && slices.Equal(value.Tag.Envs, []string{shared[value.Name]}): // the server's
			case value.Flag != nil && value.Name != "help" && !slices.Equal(value.Tag.Envs, []string{own}):
				t.Errorf("the flag --%s of itemcast %s reads %v, not %s", value.Name, command, value.Tag.Envs, own)
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
			if command == "" && value.Name != "version" || command == "serve" || value.Name == "" {
				continue
			}
			strays = append(strays, "ITEMCAST_"+upper(value.Name)+"=stray")
			if len(value.Tag.Envs) == 0 {
				strays = append(strays, "ITEMCAST_"+strings.ReplaceAll(upper(command), " ", "_")+"_"+upper(value.Name)+"=stray")
			}
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

func TestVariables_OfACommandAreItsFlags(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	code, out, errs := nodetest.RunProcess(t, environment, "import", writeItems(t, 3))
	wantExit(t, code, out, errs, 0, "3 lines: 3 created")
	none := append(slices.Clone(environment), "ITEMCAST_EXPORT_TAGS=no such tag")
	code, out, errs = nodetest.RunProcess(t, none, "export")
	wantExit(t, code, out, errs, 0, "exported 0 items")
}
