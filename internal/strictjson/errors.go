package strictjson

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"itemcast/internal/problem"
)

var (
	errTooMany  = errors.New("too many values")
	errTrailing = errors.New("another value follows")
)

// end returns an error unless only white space follows the value.
func (p *parser) end() error {
	switch p.in.PeekKind() {
	case '{', '[', '"', '0', 't', 'f', 'n':
		return errTrailing
	}
	if _, err := p.in.ReadToken(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// invalid describes an error of the decoder in words of our own, because the decoder's quote the input.
func (p *parser) invalid(err error, data []byte) *problem.Error {
	if errors.Is(err, errTooMany) {
		p.fault(fmt.Sprintf("must have at most %d values", p.limits.Values))
		return problem.Invalid(problem.InvalidInput, p.faults...)
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return problem.New(problem.InvalidJSON, "The text is empty. A JSON value is required.")
	}
	offset, pointer := p.in.InputOffset(), Pointer(p.path...)
	syntactic, isSyntactic := errors.AsType[*jsontext.SyntacticError](err)
	if isSyntactic {
		offset, pointer = syntactic.ByteOffset, fragment(syntactic.JSONPointer)
	}
	what := "syntax error"
	switch {
	case errors.Is(err, errTrailing):
		what = "text after the value"
	case errors.Is(err, jsontext.ErrDuplicateName):
		what = "duplicate name"
	case errors.Is(err, io.ErrUnexpectedEOF):
		what = "unexpected end"
	case isSyntactic && strings.Contains(syntactic.Err.Error(), "UTF-8"):
		what = "invalid UTF-8"
	case isSyntactic && strings.Contains(syntactic.Err.Error(), "surrogate"):
		what = "lone surrogate"
	case isSyntactic && strings.Contains(syntactic.Err.Error(), "depth"):
		what = "too many levels"
	}
	offset = min(offset, int64(len(data)))
	invalid := problem.New(problem.InvalidJSON, "The text is not valid JSON: %s at byte %d.", what, offset)
	detail := fmt.Sprintf("is not valid JSON: %s at byte %d", what, offset)
	invalid.Faults = []problem.Fault{{Pointer: pointer, Detail: detail}}
	return invalid
}

// fragment returns a pointer of the decoder as Pointer writes it.
func fragment(pointer jsontext.Pointer) string {
	var tokens []string
	for token := range pointer.Tokens() {
		tokens = append(tokens, token)
	}
	return Pointer(tokens...)
}
