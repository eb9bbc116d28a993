package strictjson

// Limits bound a document. A field that is zero has its default.
type Limits struct {
	Depth  int // levels of objects and arrays; default 32
	Number int // characters of a number; default 64
	Values int // values in total; default 50,000, because a megabyte of small values takes 100 MB of memory
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		value    *int
		fallback int
	}{{&l.Depth, 32}, {&l.Number, 64}, {&l.Values, 50_000}} {
		if *limit.value <= 0 {
			*limit.value = limit.fallback
		}
	}
	return l
}
