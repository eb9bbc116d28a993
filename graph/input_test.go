package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestGraphQLInput_InvalidOperationsAreRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	deep := strings.Repeat("item{history(first:1){nodes{", 5) + "item{id}" + strings.Repeat("}}}", 5)
	const (
		parse, validation = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"
	)
	n.WantNoWrites(func() {
		for name, c := range map[string]struct {
			query     string
			variables nodetest.Vars
			code      string
		}{
			"cut off":             {"{", nil, parse},
			"no GraphQL":          {"select 1", nil, parse},
			"a NUL":               {"{ me { id } } \x01", nil, parse},
			"an open string":      {`{ item(id: "`, nil, parse},
			"unknown field":       {`{ items { nodes { secret } } }`, nil, validation},
			"unknown argument":    {`{ items(limit: 1) { nodes { id } } }`, nil, validation},
			"no selection":        {`{ items }`, nil, validation},
			"unknown type":        {`query ($a: Nope) { me { id } }`, nil, validation},
			"unused variable":     {`query ($a: Int) { me { id } }`, nil, validation},
			"no operation":        {`fragment f on Item { id }`, nil, validation},
			"unknown fragment":    {`{ me { ...f } }`, nil, validation},
			"cyclic fragment":     {`{ items { nodes { ...f } } } fragment f on Item { id ...f }`, nil, validation},
			"cyclic fragments":    {`{ items { nodes { ...f } } } fragment f on Item { ...g } fragment g on Item { ...f }`, nil, validation},
			"missing variable":    {`query ($id: ID!) { item(id: $id) { id } }`, nil, validation},
			"null for a value":    {`query ($id: ID!) { item(id: $id) { id } }`, nodetest.Vars{"id": nil}, validation},
			"text for a number":   {`query ($n: Int) { items(first: $n) { nodes { id } } }`, nodetest.Vars{"n": "many"}, validation},
			"list for an id":      {`query ($id: ID!) { item(id: $id) { id } }`, nodetest.Vars{"id": []int{1}}, validation},
			"unknown enum value":  {`{ items(sort: SIZE) { nodes { id } } }`, nil, validation},
			"a number too big":    {`{ items(first: 99999999999999999999) { nodes { id } } }`, nil, ""},
			"unknown input":       {`mutation ($i: CreateItemInput!) { createItem(input: $i) { item { id } } }`, nodetest.Vars{"i": nodetest.Vars{"name": "a", "nmae": "b"}}, validation},
			"no name":             {`mutation ($i: CreateItemInput!) { createItem(input: $i) { item { id } } }`, nodetest.Vars{"i": nodetest.Vars{}}, validation},
			"too deep":            {`{ items(first: 1) { nodes { history(first: 1) { nodes { ` + deep + ` } } } } }`, nil, "DEPTH_LIMIT_EXCEEDED"},
			"a statement an item": {`{ items(first: 200) { nodes { history(first: 1) { pageInfo { endCursor } } } } }`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
			"too complex":         {`{ items(first: 200) { nodes { history(first: 200) { nodes { kind } } } } }`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
			"too many tokens":     {`{ me {` + strings.Repeat(" id", 6000) + ` } }`, nil, parse},
			"many aliases":        {`{` + aliases(10_000) + `}`, nil, "QUERY_TOO_LONG"},
			"aliased lists":       {`{ ` + lists(60) + `}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
			"fragments upon fragments": {`{ items(first: 200) { nodes { ...a } } } fragment a on Item { ...b x: history(first: 200) { nodes { kind } } } fragment b on Item { y: history(first: 200) { nodes { kind } } }`,
				nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		} {
			got, codes := n.TryGraphQL(c.query, c.variables)
			if len(codes) == 0 || c.code != "" && codes[0] != c.code {
				t.Errorf("%s: got %q, want %s: %.300s", name, codes, c.code, got.Body)
			}
			if slices.Contains(codes, "INTERNAL") {
				t.Errorf("%s: INTERNAL", name)
			}
			if got.Status != http.StatusBadRequest && got.Status != http.StatusOK || len(got.Body) > 64<<10 {
				t.Errorf("%s: got %d and %d bytes", name, got.Status, len(got.Body))
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

func TestGraphQLInput_InvalidArgumentsAreRefusedWithTheirCode(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	const (
		create = `mutation ($i: CreateItemInput!) { createItem(input: $i) { item { id } } }`
		update = `mutation ($id: ID!, $i: UpdateItemInput!) { updateItem(id: $id, input: $i) { item { id } } }`
		field  = `mutation ($i: CreateMetadataFieldInput!) { createMetadataField(input: $i) { metadataField { id } } }`
		hook   = `mutation ($i: CreateHookInput!) { createHook(input: $i) { secret } }`
		list   = `query ($f: ItemFilter) { items(filter: $f) { nodes { id } totalCount } }`
	)
	n.WantNoWrites(func() {
		for name, c := range map[string]struct {
			query     string
			variables nodetest.Vars
			code      string
		}{
			"no id":                     {`{ item(id: "seven") { id } }`, nil, "INVALID_INPUT"},
			"a number for an id":        {`{ item(id: 7) { id } }`, nil, "INVALID_INPUT"},
			"an id with a NUL":          {`{ item(id: "\u0000") { id } }`, nil, "INVALID_INPUT"},
			"first 0":                   {`{ items(first: 0) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"first 201":                 {`{ items(first: 201) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"last -1":                   {`{ items(last: -1) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"first and last":            {`{ items(first: 1, last: 1) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"first and before":          {`{ items(first: 1, before: "x") { nodes { id } } }`, nil, "INVALID_INPUT"},
			"after and before":          {`{ items(after: "x", before: "x") { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a bad cursor":              {`{ items(after: "x") { nodes { id } } }`, nil, "INVALID_PAGE_TOKEN"},
			"an empty time":             {`{ items(filter: {createdAfter: ""}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a NUL to search":           {`{ items(filter: {search: "a\u0000b"}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a NUL as a tag":            {`{ items(filter: {tags: ["\u0000"]}) { nodes { id } totalCount } }`, nil, "INVALID_INPUT"},
			"a NUL as a status":         {`{ items(filter: {workflowStatuses: ["\u0000"]}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"a NUL as a variable":       {list, nodetest.Vars{"f": nodetest.Vars{"search": "\x00"}}, "INVALID_INPUT"},
			"no metadata field":         {list, nodetest.Vars{"f": nodetest.Vars{"metadata": []nodetest.Vars{{"key": "none", "value": "x"}}}}, "INVALID_INPUT"},
			"a NUL as a key":            {`{ items(filter: {metadata: [{key: "\u0000", value: ""}]}) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"history's position":        {`query ($id: ID!) { item(id: $id) { history(after: "x") { nodes { kind } } } }`, nodetest.Vars{"id": id}, "INVALID_PAGE_TOKEN"},
			"history first":             {`query ($id: ID!) { item(id: $id) { history(first: 0) { nodes { kind } } } }`, nodetest.Vars{"id": id}, "INVALID_INPUT"},
			"hooks' position":           {`{ hooks(after: "x\u0000") { nodes { id } } }`, nil, "INVALID_PAGE_TOKEN"},
			"hooks first":               {`{ hooks(first: 201) { nodes { id } } }`, nil, "INVALID_INPUT"},
			"an empty name":             {create, nodetest.Vars{"i": nodetest.Vars{"name": ""}}, "INVALID_INPUT"},
			"a blank name":              {create, nodetest.Vars{"i": nodetest.Vars{"name": " "}}, "RULE_VIOLATED"},
			"a NUL in a literal":        {`mutation { createItem(input: {name: "a\u0000b"}) { item { id } } }`, nil, "INVALID_INPUT"},
			"a NUL in JSON":             {`mutation { createItem(input: {name: "a", clientData: {x: "\u0000"}}) { item { id } } }`, nil, "INVALID_INPUT"},
			"an endless number":         {`mutation { createItem(input: {name: "a", clientData: {x: 1e999}}) { item { id } } }`, nil, "INVALID_INPUT"},
			"a long number":             {`mutation { createItem(input: {name: "a", clientData: {x: 1` + strings.Repeat("0", 400) + `}}) { item { id } } }`, nil, "INVALID_INPUT"},
			"deep JSON":                 {`mutation { createItem(input: {name: "a", clientData: {x: ` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}}) { item { id } } }`, nil, "INVALID_INPUT"},
			"JSON that is no object":    {create, nodetest.Vars{"i": nodetest.Vars{"name": "a", "clientData": []int{1}}}, "INVALID_INPUT"},
			"an endless duration":       {`mutation { createItem(input: {name: "a", duration: 1e999}) { item { id } } }`, nil, "GRAPHQL_VALIDATION_FAILED"},
			"a big width":               {create, nodetest.Vars{"i": nodetest.Vars{"name": "a", "assets": []nodetest.Vars{{"kind": "SOURCE", "url": "https://a/", "contentType": "a/b", "width": 1 << 40}}}}, "INVALID_INPUT"},
			"half a byte":               {create, nodetest.Vars{"i": nodetest.Vars{"name": "a", "assets": []nodetest.Vars{{"kind": "SOURCE", "url": "https://a/", "contentType": "a/b", "size": 0.5}}}}, "INVALID_INPUT"},
			"no such item":              {update, nodetest.Vars{"id": "01890a5d-ac96-774b-bcce-b302099a8057", "i": nodetest.Vars{"name": "x"}}, "NOT_FOUND"},
			"a null name":               {update, nodetest.Vars{"id": id, "i": nodetest.Vars{"name": nil}}, "INVALID_INPUT"},
			"a user's null name":        {`mutation ($id: ID!) { updateUser(id: $id, input: {name: null}) { user { id } } }`, nodetest.Vars{"id": id}, "INVALID_INPUT"},
			"a role's null permissions": {`mutation ($id: ID!) { updateRole(id: $id, input: {permissions: null}) { role { id } } }`, nodetest.Vars{"id": id}, "INVALID_INPUT"},
			"a field's null label":      {`mutation ($id: ID!) { updateMetadataField(id: $id, input: {label: null}) { metadataField { id } } }`, nodetest.Vars{"id": id}, "INVALID_INPUT"},
			"a profile's null roles":    {`mutation ($id: ID!) { updateWorkflowProfile(id: $id, input: {roleIds: null}) { workflowProfile { id } } }`, nodetest.Vars{"id": id}, "INVALID_INPUT"},
			"stale":                     {`mutation ($id: ID!) { deleteItem(id: $id, ifRevision: 7) { id } }`, nodetest.Vars{"id": id}, "REVISION_MISMATCH"},
			"nothing to trigger":        {`mutation ($id: ID!) { triggerItemHook(id: $id) { itemId } }`, nodetest.Vars{"id": id}, "NO_HOOK"},
			"a field's bad key":         {field, nodetest.Vars{"i": nodetest.Vars{"key": "Not A Key", "kind": "TEXT"}}, "INVALID_INPUT"},
			"a field's empty key":       {field, nodetest.Vars{"i": nodetest.Vars{"key": "", "kind": "TEXT"}}, "INVALID_INPUT"},
			"a field's long label":      {field, nodetest.Vars{"i": nodetest.Vars{"key": "k", "kind": "TEXT", "label": strings.Repeat("x", 201)}}, "INVALID_INPUT"},
			"a NUL as a label":          {`mutation { createMetadataField(input: {key: "k", kind: TEXT, label: "\u0000"}) { metadataField { id } } }`, nil, "INVALID_INPUT"},
			"a choice twice":            {field, nodetest.Vars{"i": nodetest.Vars{"key": "k", "kind": "CHOICE", "choices": []string{"a", "a"}}}, "INVALID_INPUT"},
			"an empty choice":           {field, nodetest.Vars{"i": nodetest.Vars{"key": "k", "kind": "CHOICE", "choices": []string{""}}}, "INVALID_INPUT"},
			"no choices":                {field, nodetest.Vars{"i": nodetest.Vars{"key": "k", "kind": "CHOICE"}}, "RULE_VIOLATED"},
			"a hook's bad URL":          {hook, nodetest.Vars{"i": nodetest.Vars{"url": "ftp://example.com/"}}, "INVALID_INPUT"},
			"a hook's NUL":              {`mutation { createHook(input: {url: "https://example.com/", description: "\u0000"}) { secret } }`, nil, "INVALID_INPUT"},
			"a hook's event twice":      {hook, nodetest.Vars{"i": nodetest.Vars{"url": "https://example.com/", "events": []string{"ITEM_CREATED", "ITEM_CREATED"}}}, "INVALID_INPUT"},
		} {
			got, codes := n.TryGraphQL(c.query, c.variables)
			if len(codes) == 0 || slices.ContainsFunc(codes, func(code string) bool { return code != c.code }) {
				t.Errorf("%s: got %q, want %s: %.400s", name, codes, c.code, got.Body)
			}
		}
	})
}

func TestGraphQLInput_HooksCheckTheRevision(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	vars := nodetest.Vars{"id": nodetest.PathID(n.CreateHook(`{"url":"https://example.com/"}`))}
	const update = `mutation ($id: ID!) { updateHook(id: $id, input: {description: "mine"}, ifRevision: 1) { hook { revision } } }`
	if got := string(n.GraphQL(update, vars)); got != `{"updateHook":{"hook":{"revision":2}}}` {
		t.Errorf("got %s", got)
	}
	for _, mutation := range []string{update, `mutation ($id: ID!) { deleteHook(id: $id, ifRevision: 1) { id } }`} {
		if got, codes := n.TryGraphQL(mutation, vars); !slices.Equal(codes, []string{"REVISION_MISMATCH"}) {
			t.Errorf("%s: got %s", mutation, got.Body)
		}
	}
	n.GraphQL(`mutation ($id: ID!) { deleteHook(id: $id, ifRevision: 2) { id } }`, vars)
}

func TestGraphQLInput_MetadataFieldsCheckTheRevision(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	vars := nodetest.Vars{"id": id}
	const update = `mutation ($id: ID!) {
		updateMetadataField(id: $id, input: {label: "Year"}, ifRevision: 1) { metadataField { revision } }
	}`
	if got := string(n.GraphQL(update, vars)); got != `{"updateMetadataField":{"metadataField":{"revision":2}}}` {
		t.Errorf("got %s", got)
	}
	for _, mutation := range []string{
		update, `mutation ($id: ID!) { deleteMetadataField(id: $id, ifRevision: 1) { id } }`,
	} {
		if got, codes := n.TryGraphQL(mutation, vars); !slices.Equal(codes, []string{"REVISION_MISMATCH"}) {
			t.Errorf("%s: got %s", mutation, got.Body)
		}
	}
	if got := string(n.GraphQL(`{ metadataFields { label revision } }`, nil)); got !=
		`{"metadataFields":[{"label":"Year","revision":2}]}` {
		t.Errorf("got %s", got)
	}
	n.GraphQL(`mutation ($id: ID!) { deleteMetadataField(id: $id, ifRevision: 2) { id } }`, vars)
}

func TestGraphQLInput_AStaleRevisionGetsTheCurrentOne(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	for _, mutation := range []string{`updateItem(id: $id, input: {name: "b"}, ifRevision: 3) { item { id } }`,
		`replaceItem(id: $id, input: {name: "b"}, ifRevision: 0) { item { id } }`,
		`deleteItem(id: $id, ifRevision: 2) { id }`} {
		got, _ := n.TryGraphQL(`mutation ($id: ID!) { `+mutation+` }`, nodetest.Vars{"id": id})
		var response struct {
			Errors []struct {
				Extensions struct {
					Code     string
					Revision int
				}
			}
		}
		if err := json.Unmarshal(got.Body, &response); err != nil || len(response.Errors) != 1 ||
			response.Errors[0].Extensions.Code != "REVISION_MISMATCH" ||
			response.Errors[0].Extensions.Revision != 1 {
			t.Errorf("%s: %s", mutation, got.Body)
		}
	}
}
