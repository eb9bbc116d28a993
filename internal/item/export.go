package item

import (
	"context"
	"io"

	"itemcast/internal/account"
)

// ExportOptions steer an export.
type ExportOptions struct {
	Sort     Sort              // "" is ByCreated
	Progress func(items int64) // called after each page; may be nil
}

// Export writes the document of every item that passes the filter, one a line. It reads a page at a time and holds nothing open meanwhile,
// so it may take as long as its reader likes. What changes while it runs may move in the order: oldest first, as by default, every item is
// there once, and one that is made meanwhile comes too; by name or by change, one that is changed may come twice or not at all.
func (s *Service) Export(ctx context.Context, w io.Writer, filter Filter, options *ExportOptions) error {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return err
	}
	if options == nil {
		options = &ExportOptions{}
	}
	var total int64
	paging := Paging{Sort: orDefault(options.Sort, ByCreated), Limit: maxLimit}
	for {
		page, err := s.list(ctx, actor, filter, paging)
		if err != nil {
			return err
		}
		for _, i := range page.Items {
			if _, err := w.Write(append(i.Document, '\n')); err != nil {
				return err
			}
			paging.After = i.Cursor()
		}
		total += int64(len(page.Items))
		if options.Progress != nil {
			options.Progress(total)
		}
		if !page.HasNext {
			return nil
		}
	}
}
