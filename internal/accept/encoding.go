package accept

// Gzip reports whether a client takes gzip, by the values of its Accept-Encoding header. An entry for gzip outranks
// "*". A client that states nothing gets the plain bytes, although the RFC allows any coding.
func Gzip(header []string) bool {
	takesAny := false
	for _, e := range parse(header) {
		switch e.name {
		case "gzip", "x-gzip": // recipients treat x-gzip as gzip (RFC 9110 §8.4.1.3)
			return e.weight > 0
		case "*":
			takesAny = e.weight > 0
		}
	}
	return takesAny
}
