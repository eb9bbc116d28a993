// Command genqlient uses a client that genqlient generates: it creates an item and reads the list.
//
//	curl -u $U $I/graphql/schema.graphql -o examples/typed/schema.graphql
//	cd examples/typed/genqlient && go tool genqlient && go run . $I $U
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/Khan/genqlient/graphql"
)

// basic signs in each request.
type basic struct{ user, password string }

func (b basic) Do(r *http.Request) (*http.Response, error) {
	r.SetBasicAuth(b.user, b.password)
	return http.DefaultClient.Do(r)
}

func main() {
	user, password, _ := strings.Cut(os.Args[2], ":")
	client := graphql.NewClient(os.Args[1]+"/graphql", basic{user, password})
	ctx := context.Background()
	created, err := CreateOne(ctx, client, "From genqlient", "", []string{"go"}, json.RawMessage(`{"z":1.10,"a":2}`))
	if err != nil {
		log.Fatal(err)
	}
	list, err := ListItems(ctx, client, nil)
	if err != nil {
		log.Fatal(err)
	}
	names := []string{}
	for _, node := range list.Items.Nodes {
		names = append(names, node.Name)
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"id": created.CreateItem.Item.Id, "listed": names})
}
