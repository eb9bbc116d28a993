package hook

// What tests of package hook_test see of the package's inside.
const (
	MaxHooks        = maxHooks
	MaxDescription  = maxDescription
	MaxTestsPerHook = maxTestsPerHook
)

var (
	NewestFirst = newestFirst
	Wanting     = (*Service).wanting
)
