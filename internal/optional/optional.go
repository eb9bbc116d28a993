// Package optional converts between values and pointers to values that may be absent, as generated code has them.
package optional

// OrNil returns a pointer to a value; nil for the zero value.
func OrNil[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

// OrZero returns the value of a pointer; the zero value for nil.
func OrZero[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}

// Map returns a pointer to what convert makes of a value; nil for nil.
func Map[T, U any](value *T, convert func(T) U) *U {
	if value == nil {
		return nil
	}
	return new(convert(*value))
}

// Or returns the value of a pointer; the fallback for nil.
func Or[T any](value *T, fallback T) T {
	if value == nil {
		return fallback
	}
	return *value
}

// Equal reports whether two pointers are both nil, or point to equal values.
func Equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}
