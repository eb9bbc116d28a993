package strictjson

import (
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"itemcast/internal/problem"
)

var (
	errTooMany  = errors.New("too many values")
	errTrailing = errors.New("something follows the value")
)

// end makes sure that nothing but white space follows the value.
func (p *parser) end() error {
	switch kind := p.in.PeekKind(); kind {
	case '{', '[', '"', '0', 't', 'f', 'n':
		return errTrailing
	}
	if _, err := p.in.ReadToken(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// invalid says in our own words what the decoder found: its texts quote the input.
func (p *parser) invalid(err error, data []byte) *problem.Error {
	if errors.Is(err, errTooMany) {
		p.fault("must not have so many values")
		return problem.Invalid(problem.InvalidInput, p.faults...)
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return problem.New(problem.InvalidJSON, "A JSON value is needed, and there is none.")
	}
	offset, pointer := p.in.InputOffset(), Pointer(p.path...)
	syntactic, isSyntactic := errors.AsType[*jsontext.SyntacticError](err)
	if isSyntactic {
		offset, pointer = syntactic.ByteOffset, fragment(syntactic.JSONPointer)
	}
	what := "something unexpected"
	switch {
	case errors.Is(err, errTrailing):
		what = "something after the end of the value"
	case errors.Is(err, jsontext.ErrDuplicateName):
		what = "a name that its object has already"
	case errors.Is(err, io.ErrUnexpectedEOF):
		what = "the end of the text"
	case isSyntactic && strings.Contains(syntactic.Err.Error(), "UTF-8"):
		what = "text that is not valid UTF-8"
	case isSyntactic && strings.Contains(syntactic.Err.Error(), "surrogate"):
		what = "half of a surrogate pair"
	case isSyntactic && strings.Contains(syntactic.Err.Error(), "depth"):
		what = "too many levels"
	}
	offset = min(offset, int64(len(data)))
	invalid := problem.New(problem.InvalidJSON, "This is not valid JSON: at byte %d there is %s.", offset, what)
	invalid.Faults = []problem.Fault{{Pointer: pointer, Detail: "is not valid JSON: there is " + what}}
	return invalid
}

func fragment(pointer jsontext.Pointer) string {
	var tokens []string
	for token := range pointer.Tokens() {
		tokens = append(tokens, token)
	}
	return Pointer(tokens...)
}
