package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// graphQL reads a GraphQL response: its data, and the code of every error. An error without a code, or with texts from inside, fails the test.
func (a answer) graphQL(t *testing.T) (data json.RawMessage, codes []string) {
	t.Helper()
	var response struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(a.body, &response); err != nil {
		t.Fatalf("%d %.500s: %v", a.status, a.body, err)
	}
	for _, e := range response.Errors {
		if e.Message == "" || e.Extensions.Code == "" {
			t.Errorf("an error has no message or no code: %.500s", a.body)
		}
		codes = append(codes, e.Extensions.Code)
	}
	if len(response.Errors) > 0 {
		a.leaksNothing(t, "GraphQL")
	}
	return response.Data, codes
}

// operation sends an operation and returns the codes of its errors.
func (n *apiClient) operation(query string, variables any) (got answer, codes []string) {
	n.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		n.t.Fatal(err)
	}
	got = n.call(http.MethodPost, "/graphql", string(body))
	_, codes = got.graphQL(n.t)
	return got, codes
}

type vars map[string]any

func TestGraphQLInput_WhatCannotBeExecutedIsRefused(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	deep := strings.Repeat("item{history(first:1){nodes{", 5) + "item{id}" + strings.Repeat("}}}", 5)
	const (
		parse, validation = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"
	)
	n.leavesNothing(func() {
		for name, c := range map[string]struct {
			query     string
			variables vars
			code      string
		}{
			"cut off":            {"{", nil, parse},
			"no GraphQL":         {"select 1", nil, parse},
			"a NUL":              {"{ me { id } } \x01", nil, parse},
			"an open string":     {`{ item(id: "`, nil, parse},
			"unknown field":      {`{ items { nodes { secret } } }`, nil, validation},
			"unknown argument":   {`{ items(limit: 1) { nodes { id } } }`, nil, validation},
			"no selection":       {`{ items }`, nil, validation},
			"unknown type":       {`query ($a: Nope) { me { id } }`, nil, validation},
			"unused variable":    {`query ($a: Int) { me { id } }`, nil, validation},
			"no operation":       {`fragment f on Item { id }`, nil, validation},
			"unknown fragment":   {`{ me { ...f } }`, nil, validation},
			"cyclic fragment":    {`{ items { nodes { ...f } } } fragment f on Item { id ...f }`, nil, validation},
			"cyclic fragments":   {`{ items { nodes { ...f } } } fragment f on Item { ...g } fragment g on Item { ...f }`, nil, validation},
			"missing variable":   {`query ($id: ID!) { item(id: $id) { id } }`, nil, validation},
			"null for a value":   {`query ($id: ID!) { item(id: $id) { id } }`, vars{"id": nil}, validation},
			"text for a number":  {`query ($n: Int) { items(first: $n) { nodes { id } } }`, vars{"n": "many"}, validation},
			"list for an id":     {`query ($id: ID!) { item(id: $id) { id } }`, vars{"id": []int{1}}, validation},
			"unknown enum value": {`{ items(sort: SIZE) { nodes { id } } }`, nil, validation},
			"a number too big":   {`{ items(first: 99999999999999999999) { nodes { id } } }`, nil, ""},
			"unknown input":      {`mutation ($i: CreateItemInput!) { createItem(input: $i) { item { id } } }`, vars{"i": vars{"name": "a", "nmae": "b"}}, validation},
			"no name":            {`mutation ($i: CreateItemInput!) { createItem(input: $i) { item { id } } }`, vars{"i": vars{}}, validation},
			"too deep":           {`{ items(first: 1) { nodes { history(first: 1) { nodes { ` + deep + ` } } } } }`, nil, "DEPTH_LIMIT_EXCEEDED"},
			"too complex":        {`{ items(first: 200) { nodes { history(first: 200) { nodes { kind } } } } }`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
			"too many tokens":    {`{ me {` + strings.Repeat(" id", 6000) + ` } }`, nil, parse},
			"many aliases":       {`{` + aliases(10_000) + `}`, nil, "QUERY_TOO_LONG"},
			"aliased lists":      {`{ ` + lists(60) + `}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
			"fragments upon fragments": {`{ items(first: 200) { nodes { ...a } } } fragment a on Item { ...b x: history(first: 200) { nodes { kind } } } fragment b on Item { y: history(first: 200) { nodes { kind } } }`,
				nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		} {
			got, codes := n.operation(c.query, c.variables)
			if len(codes) == 0 || c.code != "" && codes[0] != c.code {
				t.Errorf("%s: got %q, want %s: %.300s", name, codes, c.code, got.body)
			}
			if slices.Contains(codes, "INTERNAL") {
				t.Errorf("%s: INTERNAL", name)
			}
			if got.status != http.StatusBadRequest && got.status != http.StatusOK || len(got.body) > 64<<10 {
				t.Errorf("%s: got %d and %d bytes", name, got.status, len(got.body))
			}
		}
	})
}

func aliases(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "a%d:__typename ", i)
	}
	return b.String()
}

func lists(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "a%d: items(first: 200) { nodes { id name } } ", i)
	}
	return b.String()
}

func TestGraphQLInput_WhatBreaksTheContractIsRefusedWithItsCode(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	id := n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).expect(t, http.StatusCreated).field(t, "id")
	const (
		create = `mutation ($i: CreateItemInput!) { createItem(input: $i) { item { id } } }`
		update = `mutation ($id: ID!, $i: UpdateItemInput!) { updateItem(id: $id, input: $i) { item { id } } }`
		field  = `mutation ($i: CreateMetadataFieldInput!) { createMetadataField(input: $i) { metadataField { id } } }`
		hook   = `mutation ($i: CreateHookInput!) { createHook(input: $i) { secret } }`
		list   = `query ($f: ItemFilter) { items(filter: $f) { nodes { id } totalCount } }`
	)
	n.leavesNothing(func() {
		for name, c := range map[string]struct {
			query     string
			variables vars
			code      string
		}{
			"no id":                  {`{ item(id: "seven") { id } }`, nil, "INVALID_INPUT"},
			"a number for an id":     {`{ item(id: 7) { id } }`, nil, "INVALID_INPUT"},
			"an id with a NUL":       {`{ item(id: "\u0000") { id } }`, nil, "INVALID_INPUT"},
			"first 0":                {`{ items(first: 0) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"first 201":              {`{ items(first: 201) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"last -1":                {`{ items(last: -1) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"first and last":         {`{ items(first: 1, last: 1) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"first and before":       {`{ items(first: 1, before: "x") { nodes { id } } }`, nil, "INVALID_INPUT"},
			"after and before":       {`{ items(after: "x", before: "x") { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a bad cursor":           {`{ items(after: "x") { nodes { id } } }`, nil, "INVALID_CURSOR"},
			"an empty time":          {`{ items(filter: {createdAfter: ""}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a NUL to search":        {`{ items(filter: {search: "a\u0000b"}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a NUL as a tag":         {`{ items(filter: {tags: ["\u0000"]}) { nodes { id } totalCount } }`, nil, "INVALID_INPUT"},
			"a NUL as a status":      {`{ items(filter: {workflowStatuses: ["\u0000"]}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a NUL as a variable":    {list, vars{"f": vars{"search": "\x00"}}, "INVALID_INPUT"},
			"no metadata field":      {list, vars{"f": vars{"metadata": []vars{{"key": "none", "value": "x"}}}}, "INVALID_INPUT"},
			"a NUL as a key":         {`{ items(filter: {metadata: [{key: "\u0000", value: ""}]}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"history's position":     {`query ($id: ID!) { item(id: $id) { history(after: "x") { next } } }`, vars{"id": id}, "INVALID_CURSOR"},
			"history first":          {`query ($id: ID!) { item(id: $id) { history(first: 0) { next } } }`, vars{"id": id}, "INVALID_INPUT"},
			"hooks' position":        {`{ hooks(after: "x\u0000") { nodes { id } } }`, nil, "INVALID_CURSOR"},
			"hooks first":            {`{ hooks(first: 201) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"an empty name":          {create, vars{"i": vars{"name": ""}}, "INVALID_INPUT"},
			"a blank name":           {create, vars{"i": vars{"name": " "}}, "RULE_VIOLATED"},
			"a NUL in a literal":     {`mutation { createItem(input: {name: "a\u0000b"}) { item { id } } }`, nil, "INVALID_INPUT"},
			"a NUL in JSON":          {`mutation { createItem(input: {name: "a", clientData: {x: "\u0000"}}) { item { id } } }`, nil, "INVALID_INPUT"},
			"an endless number":      {`mutation { createItem(input: {name: "a", clientData: {x: 1e999}}) { item { id } } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
			"a long number":          {`mutation { createItem(input: {name: "a", clientData: {x: 1` + strings.Repeat("0", 400) + `}}) { item { id } } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
			"deep JSON":              {`mutation { createItem(input: {name: "a", clientData: {x: ` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}}) { item { id } } }`, nil, "INVALID_INPUT"},
			"JSON that is no object": {create, vars{"i": vars{"name": "a", "clientData": []int{1}}}, "INVALID_INPUT"},
			"an endless duration":    {`mutation { createItem(input: {name: "a", duration: 1e999}) { item { id } } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
			"a big width":            {create, vars{"i": vars{"name": "a", "assets": []vars{{"kind": "SOURCE", "url": "https://a/", "contentType": "a/b", "width": 1 << 40}}}}, "INVALID_INPUT"},
			"half a byte":            {create, vars{"i": vars{"name": "a", "assets": []vars{{"kind": "SOURCE", "url": "https://a/", "contentType": "a/b", "size": 0.5}}}}, "INVALID_INPUT"},
			"no such item":           {update, vars{"id": "01890a5d-ac96-774b-bcce-b302099a8057", "i": vars{"name": "x"}}, "NOT_FOUND"},
			"a null name":            {update, vars{"id": id, "i": vars{"name": nil}}, "INVALID_INPUT"},
			"stale":                  {`mutation ($id: ID!) { deleteItem(id: $id, ifRevision: 7) { id } }`, vars{"id": id}, "REVISION_MISMATCH"},
			"nothing to trigger":     {`mutation ($id: ID!) { triggerItemHook(id: $id) { itemId } }`, vars{"id": id}, "NO_HOOK"},
			"a field's bad key":      {field, vars{"i": vars{"key": "Not A Key", "kind": "TEXT"}}, "INVALID_INPUT"},
			"a field's empty key":    {field, vars{"i": vars{"key": "", "kind": "TEXT"}}, "INVALID_INPUT"},
			"a field's long label":   {field, vars{"i": vars{"key": "k", "kind": "TEXT", "label": strings.Repeat("x", 201)}}, "INVALID_INPUT"},
			"a NUL as a label":       {`mutation { createMetadataField(input: {key: "k", kind: TEXT, label: "\u0000"}) { metadataField { id } } }`, nil, "INVALID_INPUT"},
			"a choice twice":         {field, vars{"i": vars{"key": "k", "kind": "CHOICE", "choices": []string{"a", "a"}}}, "INVALID_INPUT"},
			"an empty choice":        {field, vars{"i": vars{"key": "k", "kind": "CHOICE", "choices": []string{""}}}, "INVALID_INPUT"},
			"no choices":             {field, vars{"i": vars{"key": "k", "kind": "CHOICE"}}, "RULE_VIOLATED"},
			"a hook's bad URL":       {hook, vars{"i": vars{"url": "ftp://example.com/"}}, "INVALID_INPUT"},
			"a hook's NUL":           {`mutation { createHook(input: {url: "https://example.com/", description: "\u0000"}) { secret } }`, nil, "INVALID_INPUT"},
			"a hook's event twice":   {hook, vars{"i": vars{"url": "https://example.com/", "events": []string{"ITEM_CREATED", "ITEM_CREATED"}}}, "INVALID_INPUT"},
		} {
			got, codes := n.operation(c.query, c.variables)
			if len(codes) == 0 || slices.ContainsFunc(codes, func(code string) bool { return code != c.code }) {
				t.Errorf("%s: got %q, want %s: %.400s", name, codes, c.code, got.body)
			}
		}
	})
}

func TestGraphQLInput_AStaleRevisionTellsTheOneThereIs(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	id := n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).expect(t, http.StatusCreated).field(t, "id")
	for _, mutation := range []string{`updateItem(id: $id, input: {name: "b"}, ifRevision: 3) { item { id } }`, `replaceItem(id: $id, input: {name: "b"}, ifRevision: 0) { item { id } }`, `deleteItem(id: $id, ifRevision: 2) { id }`} {
		got, _ := n.operation(`mutation ($id: ID!) { `+mutation+` }`, vars{"id": id})
		var told struct {
			Errors []struct {
				Extensions struct {
					Code     string
					Revision int
				}
			}
		}
		if err := json.Unmarshal(got.body, &told); err != nil || len(told.Errors) != 1 || told.Errors[0].Extensions.Code != "REVISION_MISMATCH" ||
			told.Errors[0].Extensions.Revision != 1 {
			t.Errorf("%s: %s", mutation, got.body)
		}
	}
}
