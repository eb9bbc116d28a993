package server_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

func schema(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../../graph/schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema: %v", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		sources = append(sources, &ast.Source{Name: file, Input: read(t, file)})
	}
	loaded, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestExamples_ThePlaygroundsOperationsAreValid(t *testing.T) {
	t.Parallel()
	s := schema(t)
	files, err := filepath.Glob("../web/assets/src/playground/operations/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no operations: %v", err)
	}
	for _, file := range files {
		if _, errs := gqlparser.LoadQueryWithRules(s, read(t, file), rules.NewDefaultRules()); errs != nil {
			t.Errorf("%s: %v", filepath.Base(file), errs)
		}
	}
}

func TestExamples_TheHomePagesQueryIsValid(t *testing.T) {
	t.Parallel()
	s := schema(t)
	bodies := regexp.MustCompile(`-d '([^']*)'`).FindAllStringSubmatch(read(t, "../web/templates/home.html"), -1)
	if len(bodies) == 0 {
		t.Fatal("the home page has no query")
	}
	for _, body := range bodies {
		if !strings.Contains(body[1], `"query"`) {
			continue
		}
		var request struct{ Query string }
		if err := json.Unmarshal([]byte(body[1]), &request); err != nil {
			t.Fatal(err)
		}
		if _, errs := gqlparser.LoadQueryWithRules(s, request.Query, rules.NewDefaultRules()); errs != nil {
			t.Errorf("%s: %v", request.Query, errs)
		}
	}
}
