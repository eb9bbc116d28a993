package main

import "testing"

func TestByteSize_ParsesUnitsAndRefusesOtherText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]byteSize{"0": 0, "17": 17, "5B": 5, "20GB": 20e9, "512MiB": 512 << 20, "1 kB": 1000,
		"2TiB": 2 << 40} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "GB", "-1", "1.5GB", "20 apples", "99999999TB", "1GB1"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is parsed as %d", text, got)
		}
	}
}
