// Command ogen uses a client that ogen generates: it creates, changes, finds and exports an item.
//
//	curl -u $U $I/api/v1/openapi.json -o examples/typed/openapi.json
//	cd examples/typed/ogen && go tool ogen --target api --clean ../openapi.json && go run . $I $U
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"

	"github.com/ogen-go/ogen/ogenerrors"

	"itemcast-ogen/api"
)

// credentials sign in each request.
type credentials struct{ user, password string }

func (c credentials) Basic(context.Context, api.OperationName) (api.Basic, error) {
	return api.Basic{Username: c.user, Password: c.password}, nil
}

// This program has neither an access token nor the cookie of a browser.
func (credentials) Bearer(context.Context, api.OperationName) (api.Bearer, error) {
	return api.Bearer{}, ogenerrors.ErrSkipClientSecurity
}

func (credentials) BrowserSession(context.Context, api.OperationName) (api.BrowserSession, error) {
	return api.BrowserSession{}, ogenerrors.ErrSkipClientSecurity
}

func main() {
	user, password, _ := strings.Cut(os.Args[2], ":")
	client, err := api.NewClient(os.Args[1]+"/api/v1", credentials{user, password})
	if err == nil {
		err = run(context.Background(), client)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client *api.Client) error {
	made, err := must[*api.ItemHeaders](client.CreateItem(ctx, &api.ItemInput{Name: "From ogen"}, api.CreateItemParams{}))
	if err != nil {
		return err
	}
	id := made.Response.ID
	patch := func(patch api.ItemPatch) (*api.GetItemOKHeaders, error) {
		body := api.PatchItemApplicationMergePatchJSON(patch)
		return must[*api.GetItemOKHeaders](client.PatchItem(ctx, &body, api.PatchItemParams{ID: id}))
	}
	if _, err := patch(api.ItemPatch{
		Language: api.NewOptNilString("de"),
		Producer: api.NewOptNilString("Ufa"),
		Duration: api.NewOptNilFloat64(8953.123457),
		Tags:     api.NewOptNilStringArray([]string{"Action, Adventure", "silent"}),
		Metadata: api.NewOptNilItemPatchMetadata(api.ItemPatchMetadata{"distributor": api.NewStringMetadataValue("MGM")}),
		Assets: api.NewOptNilAssetInputArray([]api.AssetInput{{
			Kind: api.AssetKindSource, URL: url.URL{Scheme: "https", Host: "example.com", Path: "/a.mp4"},
			ContentType: "video/mp4", Size: api.NewOptNilInt(1<<53 - 1),
		}}),
	}); err != nil {
		return err
	}
	// Null empties a field: type becomes video again.
	empty := api.ItemPatch{}
	empty.Language.SetToNull()
	empty.Type.SetToNull()
	patched, err := patch(empty)
	if err != nil {
		return err
	}
	item := patched.Response

	tags := []string{"Action, Adventure", "none"}
	tagged, err := names(client.ListItems(ctx, api.ListItemsParams{Tags: tags}))
	if err != nil {
		return err
	}
	metadata := api.NewOptMetadataObject(api.MetadataObject{"distributor": "MGM"})
	distributed, err := names(client.ListItems(ctx, api.ListItemsParams{Metadata: metadata}))
	if err != nil {
		return err
	}
	file, err := must[*api.ExportItemsOK](client.ExportItems(ctx, api.ExportItemsParams{Tags: tags}))
	if err != nil {
		return err
	}
	exported := []string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var item api.Item
		if err := item.UnmarshalJSON(lines.Bytes()); err != nil {
			return err
		}
		exported = append(exported, item.Name)
	}
	var language *string
	if value, ok := item.Language.Get(); ok {
		language = &value
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"id": id, "revision": item.Revision, "language": language, "duration": item.Duration.Value,
		"size": item.Assets[0].Size.Value, "tagged": tagged, "distributed": distributed, "exported": exported,
	})
}

// must returns the answer of one type, and every other as an error.
func must[T any](answer any, err error) (T, error) {
	got, ok := answer.(T)
	if err == nil && !ok {
		err = fmt.Errorf("got %T: %+v", answer, answer)
	}
	return got, err
}

// names returns the names of the items of a page.
func names(answer api.ListItemsRes, err error) (names []string, _ error) {
	page, err := must[*api.ItemListHeaders](answer, err)
	if err != nil {
		return nil, err
	}
	for _, item := range page.Response.Results {
		names = append(names, item.Name)
	}
	return names, nil
}
