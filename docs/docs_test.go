// Package docs_test holds the documentation against the tree: links, paths, settings and metrics.
package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const root = ".."

// read returns the text of the files of the tree whose names end with a suffix, by their paths from the root.
func read(t *testing.T, suffix string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && name != root):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, suffix):
			return nil
		}
		text, err := os.ReadFile(name)
		texts[filepath.ToSlash(strings.TrimPrefix(name, root+"/"))] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) == 0 {
		t.Fatalf("the tree has no file named %s", suffix)
	}
	return texts
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, name))
	return err == nil
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code   = regexp.MustCompile("`([^`\n]+)`")
	inTree = regexp.MustCompile(
		`^(cmd|docs|examples|graph|internal|openapi|scripts|sql|tools|\.github|\.ci)/[\w./-]*$`)
	file = regexp.MustCompile(`^[A-Za-z][\w-]*\.(md|yml|yaml|mod)$`)
)

func TestDocs_LinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	texts := read(t, ".md")
	for name, text := range texts {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := name
			if target != "" {
				to = path.Join(path.Dir(name), target)
			}
			if !exists(to) {
				t.Errorf("%s: there is no %s", name, match[1])
			} else if anchor != "" && !slices.Contains(anchors(texts[to]), anchor) {
				t.Errorf("%s: %s has no heading %s", name, to, anchor)
			}
		}
	}
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors are the ids that GitHub gives the headings of a page.
func anchors(text string) (ids []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			id := notInAnchor.ReplaceAllString(strings.ToLower(heading), "")
			ids = append(ids, strings.ReplaceAll(id, " ", "-"))
		}
	}
	return ids
}

func TestDocs_NameFilesThatExist(t *testing.T) {
	t.Parallel()
	for name, text := range read(t, ".md") {
		for _, match := range code.FindAllStringSubmatch(text, -1) {
			named := strings.TrimSuffix(match[1], "…")
			isPath := inTree.MatchString(named) && !strings.Contains(named, "NOUN")
			if (isPath || file.MatchString(named)) && !exists(named) {
				t.Errorf("%s: there is no %s", name, named)
			}
		}
	}
}

// TestDocs_NameEverySetting finds settings and metrics by their spelling in the code.
func TestDocs_NameEverySetting(t *testing.T) {
	t.Parallel()
	operating := read(t, ".md")["docs/operating.md"]
	setting := regexp.MustCompile(`env:"(ITEMCAST_\w+)"`)
	metric := regexp.MustCompile(`(?:gauge\(|NewDesc\()"(itemcast_\w+)"`)
	found := 0
	for name, text := range read(t, ".go") {
		for _, pattern := range []*regexp.Regexp{setting, metric} {
			for _, match := range pattern.FindAllStringSubmatch(text, -1) {
				found++
				short := strings.TrimPrefix(match[1], "itemcast_db_connections") // written as …_busy
				if !strings.Contains(operating, match[1]) && !strings.Contains(operating, "…"+short) {
					t.Errorf("docs/operating.md does not name %s, of %s", match[1], name)
				}
			}
		}
	}
	if found < 25 {
		t.Errorf("found only %d settings and metrics: are they spelt in another way now?", found)
	}
}

// TestDocs_QuoteMessagesThatExist reads the texts in double quotes of the operators' page.
func TestDocs_QuoteMessagesThatExist(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for name, text := range read(t, ".go") {
		if !strings.HasSuffix(name, "_test.go") {
			source.WriteString(text)
		}
	}
	_, page, _ := strings.Cut(read(t, ".md")["docs/operating.md"], "\n## Monitoring\n")
	quoted := regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(quoted) < 4 {
		t.Errorf("found only %d messages", len(quoted))
	}
	for _, match := range quoted {
		if !strings.Contains(source.String(), strings.Join(strings.Fields(match[1]), " ")) {
			t.Errorf("docs/operating.md quotes %q, which no code says", match[1])
		}
	}
}

// TestDocs_PointToNothingOutside: the repository is complete by itself.
func TestDocs_PointToNothingOutside(t *testing.T) {
	t.Parallel()
	outside := regexp.MustCompile(`shared/|design §|\(design|design\.md|design's`)
	for _, suffix := range []string{".md", ".go", ".sql", ".yaml", ".yml", ".graphqls", ".mjs", ".js", "Makefile"} {
		for name, text := range read(t, suffix) {
			for n, line := range strings.Split(text, "\n") {
				if outside.MatchString(line) && name != "docs/docs_test.go" {
					t.Errorf("%s:%d points outside the repository: %s", name, n+1, strings.TrimSpace(line))
				}
			}
		}
	}
}

func TestDocs_LinesFit(t *testing.T) {
	t.Parallel()
	const width = 120
	for name, text := range read(t, ".md") {
		for n, line := range strings.Split(text, "\n") {
			isTable := strings.HasPrefix(strings.TrimSpace(line), "|")
			if utf8.RuneCountInString(line) > width && !isTable && !strings.Contains(line, "://") {
				t.Errorf("%s:%d has more than %d columns", name, n+1, width)
			}
		}
	}
}

// TestDocs_NameTheVersionsThatTheBuildNeeds holds the README and CONTRIBUTING.md against go.mod and package.json.
func TestDocs_NameTheVersionsThatTheBuildNeeds(t *testing.T) {
	t.Parallel()
	golang := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, ".mod")["go.mod"])
	engines := map[string]bool{}
	for _, text := range read(t, "package.json") {
		if node := regexp.MustCompile(`"node": ">=(\d+)"`).FindStringSubmatch(text); node != nil {
			engines[node[1]] = true
		}
	}
	if golang == nil || len(engines) != 1 {
		t.Fatalf("go.mod names %v, package.json %v", golang, engines)
	}
	for node := range engines {
		want := "Go " + golang[1] + " and Node.js " + node + ", or newer"
		for _, page := range []string{"README.md", "CONTRIBUTING.md"} {
			if !strings.Contains(read(t, ".md")[page], want) {
				t.Errorf("%s does not say %q", page, want)
			}
		}
	}
}

// TestDocs_RestoreStatementsAreThoseOfTheCommand: whoever restores with other tools needs the same statements.
func TestDocs_RestoreStatementsAreThoseOfTheCommand(t *testing.T) {
	t.Parallel()
	statements := read(t, ".sql")
	page := strings.Join(strings.Fields(read(t, ".md")["docs/operating.md"]), " ")
	for _, name := range []string{"sql/restore/new_horizons.sql", "sql/restore/new_epoch.sql"} {
		_, statement, found := strings.Cut(statements[name], "\nUPDATE ")
		if statement = "UPDATE " + strings.Join(strings.Fields(statement), " "); !found || !strings.Contains(page, statement) {
			t.Errorf("docs/operating.md lacks %s: %s", name, statement)
		}
	}
}

// The snippets of docs/clients.md are parts of examples, which the tests run. Its commands are run as they are.
func TestDocs_SnippetsForClientsAreInTheExamples(t *testing.T) {
	t.Parallel()
	text := read(t, ".md")["docs/clients.md"]
	var examples []string
	for _, suffix := range []string{".mjs", ".ts", ".go", ".json", ".yaml", ".graphql"} {
		for name, example := range read(t, suffix) {
			if strings.HasPrefix(name, "examples/") {
				examples = append(examples, example)
			}
		}
	}
	snippets := regexp.MustCompile("(?s)```\\w+\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(snippets) < 15 {
		t.Errorf("only %d snippets", len(snippets))
	}
	for _, snippet := range snippets {
		if !strings.HasPrefix(snippet[0], "```sh\n") && !slices.ContainsFunc(examples, func(example string) bool { return strings.Contains(example, snippet[1]) }) {
			t.Errorf("no example has this:\n%s", snippet[1])
		}
	}
}
