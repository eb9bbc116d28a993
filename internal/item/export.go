package item

import (
	"context"
	"io"
)

// ExportOptions control an export.
type ExportOptions struct {
	Sort     Sort              // "" is ByCreated
	Progress func(items int64) // called after each page; may be nil
	Fields   bool              // first write a line for each metadata field, which an import reads
}

// Export writes the document of every item in sight that matches the filter, one a line. It reads page by page and
// holds no transaction between pages, so a slow reader does no harm.
//
// Items that change meanwhile may move in the order. In the default order, oldest first, each item comes once, and an
// item that is created meanwhile comes too. By name or by last change, an item that changes meanwhile may come twice or
// not at all.
func (s *Service) Export(ctx context.Context, w io.Writer, filter Filter, options *ExportOptions) error {
	sight, err := s.sightFrom(ctx)
	if err != nil {
		return err
	}
	if options == nil {
		options = &ExportOptions{}
	}
	if options.Fields {
		if err := s.exportFields(ctx, w); err != nil {
			return err
		}
	}
	var total int64
	paging := Paging{Sort: orDefault(options.Sort, ByCreated), Limit: maxLimit}
	for {
		page, err := s.list(ctx, sight, filter, paging)
		if err != nil {
			return err
		}
		for _, i := range page.Items {
			if _, err := w.Write(append(i.Document, '\n')); err != nil {
				return err
			}
			paging.After = i.PageToken()
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

func (s *Service) exportFields(ctx context.Context, w io.Writer) error {
	fields, err := s.Fields(ctx)
	if err != nil {
		return err
	}
	for i := range fields {
		line, err := encodeDefinition(&fields[i])
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}
