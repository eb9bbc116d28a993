// Command oapi-codegen uses a client that oapi-codegen generates: it creates, changes, finds and exports an item.
//
//	curl -u $U $I/api/v1/openapi.yaml -o examples/typed/openapi.yaml
//	cd examples/typed/oapi-codegen && go tool oapi-codegen -config oapi-codegen.yaml ../openapi.yaml && go run . $I $U
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/oapi-codegen/nullable"
)

func main() {
	user, password, _ := strings.Cut(os.Args[2], ":")
	signIn := func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(user, password)
		return nil
	}
	client, err := NewClientWithResponses(os.Args[1]+"/api/v1", WithRequestEditorFn(signIn))
	if err == nil {
		err = run(context.Background(), client)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client *ClientWithResponses) error {
	made, err := client.CreateItemWithResponse(ctx, nil, ItemInput{Name: "From oapi-codegen"})
	if err != nil {
		return err
	}
	if made.JSON201 == nil {
		return fmt.Errorf("create: %s", made.Body)
	}
	id := made.JSON201.Id
	patch := func(patch ItemPatch) (*Item, error) {
		got, err := client.PatchItemWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, id, nil, patch)
		if err != nil {
			return nil, err
		}
		if got.JSON200 == nil {
			return nil, fmt.Errorf("patch: %s", got.Body)
		}
		return got.JSON200, nil
	}
	var distributor MetadataValue
	if err := distributor.FromMetadataValue0("MGM"); err != nil {
		return err
	}
	if _, err := patch(ItemPatch{
		Language: nullable.NewNullableWithValue("de"),
		Producer: nullable.NewNullableWithValue("Ufa"),
		Duration: nullable.NewNullableWithValue(8953.123457),
		Tags:     nullable.NewNullableWithValue([]string{"Action, Adventure", "silent"}),
		Metadata: nullable.NewNullableWithValue(map[string]*MetadataValue{"distributor": &distributor}),
		Assets: nullable.NewNullableWithValue([]AssetInput{{
			Kind: "source", Url: "https://example.com/a.mp4", ContentType: "video/mp4",
			Size: nullable.NewNullableWithValue(1<<53 - 1),
		}}),
	}); err != nil {
		return err
	}
	// Null empties a field: type becomes video again.
	item, err := patch(ItemPatch{
		Language: nullable.NewNullNullable[string](), Type: nullable.NewNullNullable[ItemPatchType](),
	})
	if err != nil {
		return err
	}

	tags, metadata := Tags{"Action, Adventure", "none"}, MetadataObject{"distributor": "MGM"}
	tagged, err := names(client.ListItemsWithResponse(ctx, &ListItemsParams{Tags: &tags}))
	if err != nil {
		return err
	}
	distributed, err := names(client.ListItemsWithResponse(ctx, &ListItemsParams{Metadata: &metadata}))
	if err != nil {
		return err
	}
	// Without WithResponse: that would read the lines as a problem, since their media type ends with json.
	file, err := client.ExportItems(ctx, &ExportItemsParams{Tags: &tags})
	if err != nil {
		return err
	}
	defer file.Body.Close()
	exported := []string{}
	for lines := json.NewDecoder(file.Body); ; {
		var item Item
		if err := lines.Decode(&item); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		exported = append(exported, item.Name)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"id": id, "revision": item.Revision, "language": item.Language, "duration": item.Duration,
		"size": item.Assets[0].Size, "tagged": tagged, "distributed": distributed, "exported": exported,
	})
}

// names returns the names of the items of a page.
func names(page *ListItemsResponse, err error) (names []string, _ error) {
	if err != nil {
		return nil, err
	}
	if page.JSON200 == nil {
		return nil, fmt.Errorf("list: %s", page.Body)
	}
	for _, item := range page.JSON200.Results {
		names = append(names, item.Name)
	}
	return names, nil
}
