package strictjson

// Limits bound a document. The zero value of a field stands for its default.
type Limits struct {
	Depth  int // levels of objects and arrays; 32
	Number int // characters of a number; 64
	Values int // values in all; 50,000, so that a megabyte of commas does not become a hundred of memory
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value    *int
		standard int
	}{{&l.Depth, 32}, {&l.Number, 64}, {&l.Values, 50_000}} {
		if *limit.value <= 0 {
			*limit.value = limit.standard
		}
	}
	return l
}
