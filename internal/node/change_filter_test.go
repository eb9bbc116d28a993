package node_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/node/nodetest"
)

// setWorkflow records a change of an item's workflow, which clients cannot make yet.
func setWorkflow(n *nodetest.Node, id, status string) {
	n.T.Helper()
	err := db.Write(n.T.Context(), n.Pool, func(ctx context.Context, tx pgx.Tx) error {
		var (
			accountID uuid.UUID
			document  []byte
			now       time.Time
		)
		row := tx.QueryRow(ctx, "SELECT account_id, document, clock_timestamp() FROM item WHERE id = $1 FOR UPDATE", id)
		if err := row.Scan(&accountID, &document, &now); err != nil {
			return err
		}
		i, err := item.Decode(document)
		if err != nil {
			return err
		}
		previous, err := json.Marshal(map[string]any{"workflow": i.Workflow, "updated_at": i.UpdatedAt})
		if err != nil {
			return err
		}
		profile := uuid.New()
		if _, err := tx.Exec(ctx, "INSERT INTO workflow_profile (id, account_id, name) VALUES ($1, $2, gen_random_uuid()::text)", profile, accountID); err != nil {
			return err
		}
		i.Workflow, i.UpdatedAt, i.Revision = &item.ItemWorkflow{ProfileID: profile, Status: status}, now, i.Revision+1
		if document, err = item.Encode(i); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE item SET document = $2, updated_at = $3, revision = $4, workflow_profile_id = $5, workflow_status = $6 WHERE id = $1",
			id, document, i.UpdatedAt, i.Revision, i.Workflow.ProfileID, status)
		if err != nil {
			return err
		}
		return change.Record(ctx, tx, change.Change{AccountID: accountID, ItemID: i.ID, Revision: i.Revision,
			Kind:          change.Updated,
			ChangedFields: []string{"workflow"}, Previous: previous, Trigger: change.TriggerWrite, Document: document,
			OccurredAt: now})
	})
	if err != nil {
		n.T.Fatal(err)
	}
	n.Sequencer.Wake()
}

// story makes the nine changes of an item's life. It returns the item's id and the time of the third change.
func story(n *nodetest.Node) (id, third string) {
	n.T.Helper()
	id = n.CreateItem(`{"name":"Metropolis","tags":["silent"],"metadata":{"votes":1}}`)
	n.PatchItem(id, `{"tags":["scifi"],"metadata":{"votes":2},"type":"audio"}`)
	third = n.PatchItem(id, `{"name":"Metropolis, restored","privacy":"public"}`).Field(n.T, "updated_at")
	setWorkflow(n, id, "review")
	setWorkflow(n, id, "done")
	n.PatchItem(id, `{"tags":[],"type":"video"}`)
	n.Call(http.MethodPost, "/api/v1/items/"+id+"/trigger-hook", "").WantStatus(n.T, http.StatusAccepted)
	n.PatchItem(id, `{"privacy":"private"}`)
	n.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(n.T, http.StatusNoContent)
	return id, third
}

const wholeStory = "CREATED UPDATED UPDATED UPDATED UPDATED UPDATED TRIGGERED UPDATED DELETED"

// A filter reports items that begin to match (ENTERED) and stop to match (LEFT); a deletion matches by the last
// document. The cursor moves past changes that the filter leaves out. REST and GraphQL report the same.
func TestChanges_FiltersReportEnteredAndLeftAndMovePastTheRest(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	receiving, _ := nodetest.StartReceiver(t)
	n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+receiving+`"}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"votes","kind":"number"}`).WantStatus(t, http.StatusCreated)
	start := n.Changes("").Cursor
	first, third := story(n)
	second, _ := story(n) // proves that the first story is complete
	n.AwaitChanges(start, 18)
	hour := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	twice := func(kinds string) string { return kinds + " " + kinds }
	for query, c := range map[string]struct{ graphql, want string }{
		"":                  {`kinds: null`, twice(wholeStory)},
		"tags=silent":       {`filter: {tags: ["silent"]}`, twice("CREATED LEFT")},
		"tags=scifi":        {`filter: {tags: ["scifi"]}`, twice("ENTERED UPDATED UPDATED UPDATED LEFT")},
		"tags=scifi,silent": {`filter: {tags: ["scifi", "silent"]}`, twice("CREATED UPDATED UPDATED UPDATED UPDATED LEFT")},
		"type=audio":        {`filter: {types: [AUDIO]}`, twice("ENTERED UPDATED UPDATED UPDATED LEFT")},
		"type=video":        {`filter: {types: [VIDEO]}`, twice("CREATED LEFT ENTERED TRIGGERED UPDATED DELETED")},
		"type=audio,live&privacy=public": {`filter: {types: [AUDIO, LIVE], privacies: [PUBLIC]}`,
			twice("ENTERED UPDATED UPDATED LEFT")},
		"privacy=public":         {`filter: {privacies: [PUBLIC]}`, twice("ENTERED UPDATED UPDATED UPDATED TRIGGERED LEFT")},
		"privacy=private":        {`filter: {privacies: [PRIVATE]}`, twice("CREATED UPDATED LEFT ENTERED DELETED")},
		"workflow_status=review": {`filter: {workflowStatuses: ["review"]}`, twice("ENTERED LEFT")},
		"workflow_status=done":   {`filter: {workflowStatuses: ["done", "never"]}`, twice("ENTERED UPDATED TRIGGERED UPDATED DELETED")},
		"metadata.votes=1":       {`filter: {metadata: [{key: "votes", value: "1.0"}]}`, twice("CREATED LEFT")},
		"metadata.votes=2":       {`filter: {metadata: [{key: "votes", value: "2"}]}`, twice("ENTERED UPDATED UPDATED UPDATED UPDATED TRIGGERED UPDATED DELETED")},
		"search=restored":        {`filter: {search: "restored"}`, twice("ENTERED UPDATED UPDATED UPDATED TRIGGERED UPDATED DELETED")},
		"search=-restored":       {`filter: {search: "-restored"}`, twice("CREATED UPDATED LEFT")},
		"created_after=" + hour:  {`filter: {createdAfter: "` + hour + `"}`, ""},
		"created_before=" + hour: {`filter: {createdBefore: "` + hour + `"}`, twice(wholeStory)},
		"updated_after=" + hour:  {`filter: {updatedAfter: "` + hour + `"}`, ""},
		"updated_after=" + third: {`filter: {updatedAfter: "` + third + `"}`,
			"ENTERED UPDATED UPDATED TRIGGERED UPDATED DELETED " + wholeStory},
		"id=" + first:                        {`ids: ["` + first + `"]`, wholeStory},
		"id=" + second:                       {`ids: ["` + second + `"]`, wholeStory},
		"id=" + first + "," + second:         {`ids: ["` + first + `", "` + second + `"]`, twice(wholeStory)},
		"id=" + uuid.NewString():             {`ids: ["` + uuid.NewString() + `"]`, ""},
		"changed_fields=tags":                {`changedFields: [TAGS]`, twice("UPDATED UPDATED")},
		"changed_fields=workflow":            {`changedFields: [WORKFLOW]`, twice("UPDATED UPDATED")},
		"changed_fields=name,published_at":   {`changedFields: [NAME, PUBLISHED_AT]`, twice("UPDATED UPDATED")},
		"changed_fields=duration":            {`changedFields: [DURATION]`, ""},
		"kinds=DELETED,CREATED":              {`kinds: [DELETED, CREATED]`, twice("CREATED DELETED")},
		"kinds=TRIGGERED":                    {`kinds: [TRIGGERED]`, twice("TRIGGERED")},
		"kinds=ENTERED":                      {`kinds: [ENTERED]`, ""},
		"tags=scifi&kinds=ENTERED,LEFT":      {`filter: {tags: ["scifi"]}, kinds: [ENTERED, LEFT]`, twice("ENTERED LEFT")},
		"tags=scifi&changed_fields=workflow": {`filter: {tags: ["scifi"]}, changedFields: [WORKFLOW]`, twice("UPDATED UPDATED")},
		"tags=scifi&changed_fields=type":     {`filter: {tags: ["scifi"]}, changedFields: [TYPE]`, twice("ENTERED LEFT")},
		"type=audio&kinds=DELETED":           {`filter: {types: [AUDIO]}, kinds: [DELETED]`, ""},
		"type=video&kinds=DELETED":           {`filter: {types: [VIDEO]}, kinds: [DELETED]`, twice("DELETED")},
		"privacy=public&kinds=LEFT&id=" +
			first: {`filter: {privacies: [PUBLIC]}, kinds: [LEFT], ids: ["` + first + `"]`, "LEFT"},
		"workflow_status=review&kinds=LEFT&id=" +
			second: {`filter: {workflowStatuses: ["review"]}, kinds: [LEFT], ids: ["` + second + `"]`, "LEFT"},
	} {
		page := n.Changes("?after=" + start + "&" + strings.ReplaceAll(query, ":", url.QueryEscape(":")))
		if got := strings.Join(page.Kinds(), " "); got != c.want || page.More {
			t.Errorf("%s:\n got %s\nwant %s", query, got, c.want)
		}
		if rest := n.Changes("?after=" + page.Cursor); len(rest.Results) > 0 {
			t.Errorf("%s: the cursor stops before the end of the log", query)
		}
		s := n.Subscribe(`subscription ($after: Cursor) { itemChanges(after: $after, `+c.graphql+
			`) { cursor kind revision document } }`, nodetest.Vars{"after": start})
		for _, want := range page.Results {
			if got := s.ReceiveEvent(); !reflect.DeepEqual(got, want.Event) {
				t.Errorf("%s: GraphQL has %s of revision %d, REST %s of %d", c.graphql, got.Kind, got.Revision, want.Kind,
					want.Revision)
			}
		}
	}
}

func TestChanges_TheFilterHasEveryFieldThatCanChange(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	fixed := []string{"id", "url", "created_by", "created_at", "updated_at", "revision"}
	var fields []any
	for f := range reflect.TypeFor[item.Item]().Fields() {
		if name := f.Tag.Get("json"); !slices.Contains(fixed, name) {
			fields = append(fields, name)
		}
	}
	if declared := n.Contract.Spec().Components.Schemas["ChangedField"].Value.Enum; !reflect.DeepEqual(declared,
		fields) {
		t.Errorf("the contract has %v, items have %v", declared, fields)
	}
	var schema struct {
		Type struct{ EnumValues []struct{ Name string } } `json:"__type"`
	}
	if err := json.Unmarshal(n.GraphQL(`{ __type(name: "ItemField") { enumValues { name } } }`, nil),
		&schema); err != nil {
		t.Fatal(err)
	}
	var declared []any
	for _, value := range schema.Type.EnumValues {
		declared = append(declared, strings.ToLower(value.Name))
	}
	if !reflect.DeepEqual(declared, fields) {
		t.Errorf("GraphQL has %v, items have %v", declared, fields)
	}
}
