package web

import (
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// newItemView is what item_new.html shows.
type newItemView struct {
	List string
	Form formView
}

var newItemScreen = newScreen("item_new.html")

// ItemNew serves the form of a new item.
func (p *Pages) ItemNew() http.Handler { return p.serve((*call).newItem, (*call).createItem) }

// blank is an item before anybody has written something.
var blank = item.Item{Type: item.ItemTypeVideo, Privacy: item.PrivacyPrivate}

func (c *call) newItem() error {
	if _, err := account.Authorize(c.Context(), account.ItemsCreate); err != nil {
		return err
	}
	fields, err := c.itemFields(&blank)
	if err != nil {
		return err
	}
	return c.writeNewItem(http.StatusOK, c.newForm(fields, &blank))
}

func (c *call) writeNewItem(status int, form formView) error {
	form.Action = c.itemsPath() + "/new"
	c.show(newItemScreen, status, &newItemView{List: c.itemsPath(), Form: form})
	return nil
}

func (c *call) createItem() error {
	fields, err := c.itemFields(&blank)
	if err != nil {
		return err
	}
	input := c.patch(fields, &blank)
	input["name"] = c.value("name")
	document, err := c.pages.Config.Items.Create(c.Context(), mustJSON(input))
	if shown := problem.Of(err); shown != nil && len(shown.Faults) > 0 {
		return c.writeNewItem(shown.Code.Status(), c.faultyForm(fields, &blank, shown))
	}
	if err != nil {
		return err
	}
	created, err := item.Decode(document.Bytes)
	if err != nil {
		return err
	}
	return c.seeOther(c.itemPath(created.ID), done("new.created"))
}
