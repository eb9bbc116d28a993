package contract

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"
)

// bundler makes one document of several: a component of another file that is referred to moves into the document's own components,
// under its own name. Maps stay in the order in which they were written, which is the order in which readers are shown them.
type bundler struct {
	files   fs.FS
	sources map[string]yaml.MapSlice
	owner   map[string]string // "schemas/Item" → the file that the component comes from
	moved   []component
}

type component struct {
	section, name string
	value         any
}

// bundle reads a document and what it refers to. Anchors and merge keys are spelled out, and what only generators of code read
// (x-go-…, x-omitempty) is left out.
func bundle(files fs.FS, name string) (yaml.MapSlice, error) {
	b := &bundler{files: files, sources: map[string]yaml.MapSlice{}, owner: map[string]string{}}
	source, err := b.source(name)
	if err != nil {
		return nil, err
	}
	own, _ := get(source, "components").(yaml.MapSlice)
	for _, section := range own {
		entries, _ := section.Value.(yaml.MapSlice)
		for _, entry := range entries {
			b.owner[fmt.Sprintf("%v/%v", section.Key, entry.Key)] = name
		}
	}
	resolved, err := b.resolve(source, name)
	if err != nil {
		return nil, err
	}
	document := resolved.(yaml.MapSlice)
	components, _ := get(document, "components").(yaml.MapSlice)
	for _, c := range b.moved {
		section, _ := get(components, c.section).(yaml.MapSlice)
		components = set(components, c.section, set(section, c.name, c.value))
	}
	if len(components) > 0 {
		document = set(document, "components", components)
	}
	return document, nil
}

func (b *bundler) source(name string) (yaml.MapSlice, error) {
	if source, ok := b.sources[name]; ok {
		return source, nil
	}
	text, err := fs.ReadFile(b.files, name)
	if err != nil {
		return nil, fmt.Errorf("read a contract: %w", err)
	}
	var source yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &source, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("read the contract %s: %w", name, err)
	}
	b.sources[name] = source
	return source, nil
}

// resolve copies a node of a file, with its references turned to the bundle.
func (b *bundler) resolve(node any, file string) (any, error) {
	switch node := node.(type) {
	case yaml.MapSlice:
		copied := make(yaml.MapSlice, 0, len(node))
		for _, item := range node {
			key := fmt.Sprint(item.Key)
			if strings.HasPrefix(key, "x-go-") || key == "x-omitempty" {
				continue
			}
			value, err := b.resolve(item.Value, file)
			if ref, ok := item.Value.(string); ok && key == "$ref" {
				value, err = b.reference(ref, file)
			}
			if err != nil {
				return nil, err
			}
			copied = append(copied, yaml.MapItem{Key: key, Value: value})
		}
		return copied, nil
	case []any:
		copied := make([]any, len(node))
		for i, element := range node {
			value, err := b.resolve(element, file)
			if err != nil {
				return nil, err
			}
			copied[i] = value
		}
		return copied, nil
	}
	return node, nil
}

// reference turns a reference to the bundle, and moves what it refers to there unless it is there already.
func (b *bundler) reference(ref, file string) (string, error) {
	target, fragment, _ := strings.Cut(ref, "#")
	if target == "" {
		target = file
	} else {
		target = path.Join(path.Dir(file), target)
	}
	steps := strings.Split(fragment, "/")
	if len(steps) != 4 || steps[1] != "components" {
		return "", fmt.Errorf("read the contract %s: %s does not refer to a component", file, ref)
	}
	key := steps[2] + "/" + steps[3]
	switch owner, taken := b.owner[key]; {
	case taken && owner != target:
		return "", fmt.Errorf("read the contract %s: both %s and %s have components/%s", file, owner, target, key)
	case taken:
		return "#/components/" + key, nil
	}
	b.owner[key] = target
	at := len(b.moved)
	b.moved = append(b.moved, component{section: steps[2], name: steps[3]})

	source, err := b.source(target)
	if err != nil {
		return "", err
	}
	components, _ := get(source, "components").(yaml.MapSlice)
	section, _ := get(components, steps[2]).(yaml.MapSlice)
	found := get(section, steps[3])
	if found == nil {
		return "", fmt.Errorf("read the contract %s: there is no %s", file, ref)
	}
	b.moved[at].value, err = b.resolve(found, target)
	return "#/components/" + key, err
}

func get(m yaml.MapSlice, key string) any {
	for _, item := range m {
		if fmt.Sprint(item.Key) == key {
			return item.Value
		}
	}
	return nil
}

func set(m yaml.MapSlice, key string, value any) yaml.MapSlice {
	for i := range m {
		if fmt.Sprint(m[i].Key) == key {
			m[i].Value = value
			return m
		}
	}
	return append(m, yaml.MapItem{Key: key, Value: value})
}
