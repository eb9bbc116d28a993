package web

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
)

// uploadView are the forms that add a file and a picture to an item. Without JavaScript they are sent as they are; with
// it, files are sent in pieces and with progress.
type uploadView struct {
	Files     string // address of the form for a file
	Pictures  string // address of the form for a picture
	Endpoint  string // for files, by tus
	Snapshots string // for pictures, in the API
	Item      string // its id
	Kind      field
	Language  field
	HasSource bool
	Fault     string // of a file
	Wrong     string // of a picture
}

// uploads returns the forms; nil for users who may not edit the item.
func (c *call) uploads(i *item.Item) *uploadView {
	if !c.may(account.ItemsEdit) {
		return nil
	}
	v := &uploadView{Files: c.itemPath(i.ID) + "/files", Pictures: c.itemPath(i.ID) + "/pictures",
		Endpoint: c.pages.root + "api/v1/uploads/tus/", Item: i.ID.String(),
		Snapshots: c.pages.root + "api/v1/items/" + i.ID.String() + "/snapshots",
		Kind: field{Name: "kind", Label: c.text.Get("attach.kind"), Kind: "choice",
			Hint: c.text.Get("attach.kind.hint")},
		Language: field{Name: "language", Label: c.text.Get("item.language"), Hint: c.text.Get("item.language.hint"),
			Kind: "text", MaxLength: 35, Form: "attach-"}}
	v.Fault, v.Wrong = c.faults.file, c.faults.picture
	for _, a := range i.Assets {
		v.HasSource = v.HasSource || a.Kind == item.AssetKindSource
	}
	for _, kind := range []item.AssetKind{item.AssetKindSubtitle, item.AssetKindAudio, item.AssetKindRendition,
		item.AssetKindSource} {
		text := c.text.Get("asset." + string(kind))
		if kind == item.AssetKindSource && v.HasSource {
			text = c.text.Get("attach.replace")
		}
		v.Kind.Options = append(v.Kind.Options, option{Value: string(kind), Text: text,
			Selected: kind == item.AssetKindSource && !v.HasSource})
	}
	return v
}

// ItemFiles serves the form that adds a file to an item.
func (p *Pages) ItemFiles() http.Handler {
	return p.serveBody((*call).toItem, func(c *call) error { return c.receive(false) })
}

// ItemPictures serves the form that adds a picture to an item.
func (p *Pages) ItemPictures() http.Handler {
	return p.serveBody((*call).toItem, func(c *call) error { return c.receive(true) })
}

func (c *call) toItem() error {
	id, err := uuid.Parse(c.PathValue("id"))
	if err != nil {
		return errNoItem
	}
	return c.seeOther(c.itemPath(id), notice{})
}

// receive adds the file of the form while the browser sends it. What is wrong with it is said beside its form.
func (c *call) receive(isPicture bool) error {
	i, err := c.itemAt()
	if err != nil {
		return err
	}
	err = c.pages.Receive(c.w, c.Request, i.ID, isPicture)
	if err == nil {
		key := "attach.added"
		if isPicture {
			key = "attach.pictured"
		}
		return c.seeOther(c.itemPath(i.ID), done(key))
	}
	wrong := refusal(err)
	if wrong == nil {
		return err
	}
	fault := wrong.Detail
	for _, f := range wrong.Faults {
		fault = strings.TrimSpace(strings.TrimPrefix(f.Pointer, "#/") + " " + f.Detail)
	}
	c.cursor = c.pages.Cursor()
	fields, err := c.itemFields(i)
	if err != nil {
		return err
	}
	if isPicture {
		c.faults.picture = fault
	} else {
		c.faults.file = fault
	}
	return c.writeItem(wrong.Code.Status(), i, c.newForm(fields, i))
}
