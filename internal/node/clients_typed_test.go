package node_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
)

// copyExample copies a folder of examples/, without what is built, generated or installed there.
func copyExample(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	source := examplePath(t, name)
	err := filepath.WalkDir(source, func(file string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(file, source)
		switch {
		case err != nil:
			return err
		case slices.Contains([]string{"node_modules", "dist", "__generated__", "generated"}, entry.Name()):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// typedExample copies examples/typed with the schema and the documents that a node serves.
func typedExample(t *testing.T, n *nodetest.Node) (dir string) {
	t.Helper()
	dir = copyExample(t, "typed")
	for _, served := range []string{"/graphql/schema.graphql", "/api/v1/openapi.json", "/api/v1/openapi.yaml"} {
		text := n.Call(http.MethodGet, served, "").WantStatus(t, http.StatusOK).Body
		if err := os.WriteFile(filepath.Join(dir, path.Base(served)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// linkPackages gives a copy of a folder of examples/ its npm packages. target is what installs them.
func linkPackages(t *testing.T, dir, folder, target string) {
	t.Helper()
	packages := examplePath(t, filepath.Join(folder, "node_modules"))
	if _, err := os.Stat(packages); err != nil {
		t.Fatalf("the packages of examples/%s are not installed: run make %s", folder, target)
	}
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
}

// run runs a command in a folder and returns what it prints. Any word on stderr fails the test: clients warn there.
func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	return runWith(t, dir, nil, name, args...)
}

// runWith is run with variables of the environment in addition.
func runWith(t *testing.T, dir string, environment []string, name string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), environment...)
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, complaints.String())
	}
	if strings.Contains(complaints.String(), "Warning") {
		t.Errorf("%s %v: %s", name, args, complaints.String())
	}
	return out
}

// wantCreated checks what an example prints: the item that it created, and the list.
func wantCreated(t *testing.T, n *nodetest.Node, out []byte, name string) {
	t.Helper()
	var got struct {
		ID     string
		Listed []string
	}
	if err := json.Unmarshal(out, &got); err != nil || !slices.Contains(got.Listed, name) {
		t.Fatalf("the client prints %s, %v", out, err)
	}
	made := n.Call(http.MethodGet, "/api/v1/items/"+got.ID, "").WantStatus(t, http.StatusOK)
	if made.Field(t, "name") != name || !strings.Contains(string(made.Body), `"z":1`) {
		t.Errorf("the client made %s", made.Body)
	}
}

// Relay's compiler takes the schema and @connection on every list, and its runtime reads pages and nodes.
func TestClientsTyped_RelayCompilesAndRuns(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	dir := typedExample(t, n)
	linkPackages(t, dir, "typed", "clients")
	run(t, dir, "npm", "run", "--silent", "relay")
	types, err := os.ReadFile(filepath.Join(dir, "relay/__generated__/main_ItemQuery.graphql.ts"))
	for _, want := range []string{"readonly createdAt: string;", "readonly clientData: unknown;"} {
		if err != nil || !strings.Contains(string(types), want) {
			t.Errorf("the types lack %q: %v\n%s", want, err, types)
		}
	}
	out := run(t, dir, "node", "dist/relay/main.js", n.URL, adminCredentials)
	wantCreated(t, n, out, "From Relay")
	if !strings.Contains(string(out), `"again":{"__typename":"Item","name":"From Relay","revision":1`) {
		t.Errorf("Relay reads the item again as %s", out)
	}
}

func TestClientsTyped_GQLTadaCompilesAndRuns(t *testing.T) {
	soak.Only(t)
	t.Parallel()
	n := nodetest.Start(t)
	dir := typedExample(t, n)
	linkPackages(t, dir, "typed", "clients")
	run(t, dir, "npm", "run", "--silent", "tada")
	wantCreated(t, n, run(t, dir, "node", "dist/tada/main.js", n.URL, adminCredentials), "From gql.tada")
}

func TestClientsTyped_GenqlientCompilesAndRuns(t *testing.T) {
	soak.Only(t)
	t.Parallel()
	n := nodetest.Start(t)
	dir := filepath.Join(typedExample(t, n), "genqlient")
	run(t, dir, "go", "tool", "genqlient")
	run(t, dir, "go", "vet", ".")
	wantCreated(t, n, run(t, dir, "go", "run", ".", n.URL, adminCredentials), "From genqlient")
}
