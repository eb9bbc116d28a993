package ticket

import (
	"encoding/hex"
	"fmt"
	"strings"

	"itemcast/internal/problem"
)

// The names of the headers, or of the fields of a form, in which a ticket is sent.
const (
	InfoName      = "itemcast-upload-info"
	SignatureName = "itemcast-upload-signature"
)

// MaxInfo is the maximum length of an info, in characters.
const MaxInfo = 64 << 10

// Sent returns the ticket of a request that has these values under InfoName and SignatureName. Errors: TICKET_MISSING
// without a value, TICKET_INVALID with two.
func Sent(infos, signatures []string) (info, signature string, err error) {
	if info, err = one(InfoName, infos); err != nil {
		return "", "", err
	}
	signature, err = one(SignatureName, signatures)
	return info, signature, err
}

func one(name string, values []string) (string, error) {
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", errMissing(name)
	case len(values) > 1:
		return "", problem.New(problem.TicketInvalid, "%s is sent %d times. Send one ticket.", name, len(values))
	}
	return values[0], nil
}

func errMissing(name string) error {
	return problem.New(problem.TicketMissing, "The upload has no %s. Send a ticket in the headers %s and %s, or in form "+
		"fields of these names before the files.", name, InfoName, SignatureName)
}

// decode returns the bytes of a ticket's texts. No error contains a part of them. Errors: TICKET_MISSING,
// TICKET_INVALID.
func decode(info, signature string) (claims, mac []byte, err error) {
	switch {
	case info == "":
		return nil, nil, errMissing(InfoName)
	case signature == "":
		return nil, nil, errMissing(SignatureName)
	}
	if fault := faultOfSignature(signature); fault != "" {
		return nil, nil, problem.New(problem.TicketInvalid, "%s %s.", SignatureName, fault)
	}
	if fault := faultOfInfo(info); fault != "" {
		return nil, nil, problem.New(problem.TicketInvalid, "%s %s.", InfoName, fault)
	}
	mac, err = hex.DecodeString(signature)
	if err != nil {
		return nil, nil, fmt.Errorf("decode a signature: %w", err)
	}
	if claims, err = encoding.DecodeString(info); err != nil {
		return nil, nil, problem.New(problem.TicketInvalid,
			"%s is not base64url of whole bytes. Send it as it was encoded.", InfoName)
	}
	return claims, mac, nil
}

func faultOfSignature(signature string) string {
	const want = "must be the 64 lower-case hexadecimal digits of an HMAC-SHA256"
	isDigit := func(r rune) bool { return '0' <= r && r <= '9' || 'a' <= r && r <= 'f' }
	switch {
	case strings.Contains(signature, ","):
		return "holds two values. Send one ticket"
	case len(signature) != 64:
		return want
	case strings.Trim(signature, "0123456789abcdefABCDEF") == "" && strings.ToLower(signature) != signature:
		return want + ": write the letters in lower case"
	case strings.ContainsFunc(signature, func(r rune) bool { return !isDigit(r) }):
		return want
	}
	return ""
}

func faultOfInfo(info string) string {
	const want = "must be base64url (RFC 4648 §5) without padding"
	isDigit := func(r rune) bool {
		return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_'
	}
	switch {
	case len(info) > MaxInfo:
		return fmt.Sprintf("must have at most %d characters. Put less into the item", MaxInfo)
	case strings.Contains(info, ","): // how browsers and proxies join two headers
		return "holds two values. Send one ticket"
	case strings.Contains(info, "="):
		return want + ": remove the = at the end before you sign it"
	case strings.ContainsAny(info, "+/"):
		return want + ": write - for + and _ for / before you sign it"
	case strings.ContainsFunc(info, func(r rune) bool { return !isDigit(r) }):
		return want + ", without spaces or line breaks"
	}
	return ""
}
