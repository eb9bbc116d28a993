package item

import (
	"context"
	"io"

	"itemcast/internal/account"
)

const exportPage = 500

// Export writes the document of every item that passes the filter, one a line, oldest first. It reads a page at a time and holds nothing
// open meanwhile, so it may take as long as its reader likes; an item that is made while it runs comes too. Progress is called after each
// page and may be nil.
func (s *Service) Export(ctx context.Context, w io.Writer, filter Filter, progress func(items int64)) error {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return err
	}
	var total int64
	paging := Paging{Sort: ByCreated, Limit: exportPage}
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
		if progress != nil {
			progress(total)
		}
		if !page.HasNext {
			return nil
		}
	}
}
