package form

// maxShown is how many characters Shorten retains.
const maxShown = 300

// Shorten cuts a text to fit a table or a title.
func Shorten(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return text
}
