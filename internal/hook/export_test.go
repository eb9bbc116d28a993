package hook

// Internals for the tests of package hook_test.
const (
	MaxHooks        = maxHooks
	MaxDescription  = maxDescription
	MaxTestsPerHook = maxTestsPerHook
)

var (
	NewestFirst = newestFirst
	Wanting     = (*Service).wanting
)
