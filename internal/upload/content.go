package upload

import (
	"bufio"
	"errors"
	"io"

	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// Content is a file as it comes, of which the beginning has told what it is. Reading it returns all of it.
type Content struct {
	io.Reader
	ContentType string
	Kind        item.ItemType
}

// Recognize reads the beginning of a file. Errors: BAD_REQUEST for an empty file; those of r, also if they end the
// beginning.
func Recognize(name string, r io.Reader) (Content, error) {
	buffered := bufio.NewReaderSize(r, HeadSize)
	head, err := buffered.Peek(HeadSize)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return Content{}, err
	case len(head) == 0:
		return Content{}, problem.New(problem.BadRequest, "The file %q is empty. Choose another.", name)
	}
	c := Content{Reader: buffered}
	c.ContentType, c.Kind = Sniff(head)
	return c, nil
}
