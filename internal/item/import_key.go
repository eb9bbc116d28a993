package item

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/gosimple/unidecode"
	"github.com/iancoleman/strcase"
)

const maxKey = 63 // characters of a metadata field's key

var noKeyCharacters = regexp.MustCompile(`[^a-z0-9]+`)

// lawfulKey returns the key of a metadata field for a name: "releaseDate" and "Release Date" become release_date,
// "Größe" becomes grosse, "3D" becomes field_3_d.
func lawfulKey(name string) string {
	latin := strings.TrimSpace(unidecode.Unidecode(name))
	key := strings.Trim(noKeyCharacters.ReplaceAllString(strings.ToLower(strcase.ToSnake(latin)), "_"), "_")
	switch {
	case key == "":
		key = "field"
	case key[0] < 'a':
		key = "field_" + key
	}
	return strings.TrimRight(key[:min(len(key), maxKey)], "_")
}

// numbered returns the nth variant of a key: release_date_2.
func numbered(key string, n int) string {
	if n == 1 {
		return key
	}
	suffix := "_" + strconv.Itoa(n)
	return key[:min(len(key), maxKey-len(suffix))] + suffix
}
