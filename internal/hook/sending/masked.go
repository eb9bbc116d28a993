package sending

import (
	"maps"
	"slices"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// Masked replaces the value of a header wherever headers are shown. A client that writes it back leaves the value
// unchanged.
const Masked = "***"

// MaskedHeaders returns headers as they are shown. Their values are often secrets of the endpoint.
func MaskedHeaders(headers map[string]string) map[string]string {
	shown := make(map[string]string, len(headers))
	for name := range headers {
		shown[name] = Masked
	}
	return shown
}

// Unmask replaces the masked values in headers by the stored ones. moved says that the URL has another origin than the
// one that the values were for: a secret of the old host must not reach the new one. path is where the headers are in
// the input, for the pointers of faults.
func Unmask(headers, stored map[string]string, isMasked func(name string) bool, moved bool, path ...string,
) (faults problem.Faults) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		switch value, ok := stored[name]; {
		case !isMasked(name):
		case ok && moved:
			faults.At(pointerTo(path, name),
				"belongs to the previous host of the URL: give its value again, or remove it")
		case ok:
			headers[name] = value
		default:
			faults.At(pointerTo(path, name), "must have a value: *** stands for the stored value, and there is none")
		}
	}
	return faults
}

// HeaderFaults returns the faults of a user's headers, which are at a path in the input.
func HeaderFaults(headers map[string]string, path ...string) (faults problem.Faults) {
	wrong := CheckHeaders(headers)
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		if name == "" {
			faults.At(strictjson.Pointer(path...), wrong[name])
		} else {
			faults.At(pointerTo(path, name), wrong[name])
		}
	}
	return faults
}

func pointerTo(path []string, name string) string {
	return strictjson.Pointer(append(slices.Clone(path), name)...)
}
