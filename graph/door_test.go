package graph_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"itemcast/internal/node/nodetest"
)

// doors are the transports of one operation. Each function returns the data of a request.
var doors = map[string]func(n *nodetest.Node, request string) json.RawMessage{
	"POST": func(n *nodetest.Node, request string) json.RawMessage {
		data, codes := n.Call(http.MethodPost, "/graphql", request).GraphQL(n.T)
		if codes != nil {
			n.T.Errorf("%s: %v", request, codes)
		}
		return data
	},
	"event stream": func(n *nodetest.Node, request string) json.RawMessage {
		s := n.Stream(http.MethodPost, "/graphql", request)
		for {
			if event := nodetest.Next(n.T, s.Events); event.Name == "next" {
				return dataOf(n.T, json.RawMessage(event.Data))
			}
		}
	},
	"WebSocket": func(n *nodetest.Node, request string) json.RawMessage {
		s := n.DialSignedIn()
		s.Send(nodetest.Frame{"type": "subscribe", "id": "1", "payload": json.RawMessage(request)})
		_, payload := s.Receive()
		return dataOf(n.T, payload)
	},
}

// get is the door of queries only.
func get(n *nodetest.Node, request string) json.RawMessage {
	n.T.Helper()
	var parts struct {
		Query     string
		Variables json.RawMessage
	}
	if err := json.Unmarshal([]byte(request), &parts); err != nil {
		n.T.Fatal(err)
	}
	path := "/graphql?" + url.Values{"query": {parts.Query}, "variables": {string(parts.Variables)}}.Encode()
	data, codes := n.Call(http.MethodGet, path, "", "Accept", "application/json").GraphQL(n.T)
	if codes != nil {
		n.T.Errorf("%s: %v", request, codes)
	}
	return data
}

func dataOf(t testing.TB, response json.RawMessage) json.RawMessage {
	t.Helper()
	var got struct{ Data, Errors json.RawMessage }
	if err := json.Unmarshal(response, &got); err != nil || got.Errors != nil {
		t.Errorf("got %s, %v", response, err)
	}
	return got.Data
}

// request is a GraphQL request with variables given as JSON.
func request(t testing.TB, query, variables string) string {
	t.Helper()
	text, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	return `{"query":` + string(text) + `,"variables":` + variables + `}`
}
