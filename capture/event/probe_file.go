package event

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"trapline/internal/nearest"
)

// MaxProbeFile is the maximum size of a probe file in bytes.
const MaxProbeFile = 1 << 20

// fileKeys are the keys of an entry of a probe file.
var fileKeys = []string{"event", "name", "filter", "args", "modifiers", "binary", "module"}

// A fileEntry is an entry of a probe file as written.
type fileEntry struct {
	line      int
	event     string
	name      string
	filter    string
	args      []string
	modifiers []string // NAME=VALUE
	context   Context
}

// ParseFile parses a probe file: YAML with a list of events under the key probes. Errors
// and [Event.Origin] refer to the file by name.
func (g Grammar) ParseFile(name string, text []byte) ([]Event, error) {
	fail := func(line int, err error) ([]Event, error) { return nil, fmt.Errorf("%s:%d: %w", name, line, err) }
	if len(text) > MaxProbeFile {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, MaxProbeFile)
	}
	root, err := parseYAML(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	entries, line, err := fileEntries(root)
	if err != nil {
		return fail(line, err)
	}
	var events []Event
	for i := range entries {
		e := &entries[i]
		parsed, err := e.parse(g)
		if err != nil {
			return fail(e.line, err)
		}
		for i := range parsed {
			parsed[i].Origin = fmt.Sprintf("%s:%d", name, e.line)
		}
		events = append(events, parsed...)
	}
	return events, nil
}

// parseYAML returns the only document of a file.
func parseYAML(text []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var document, more yaml.Node
	err := d.Decode(&document)
	if errors.Is(err, io.EOF) || err == nil && len(document.Content) == 0 {
		return nil, errors.New("empty: expected probes:, and a list below it")
	}
	if err != nil {
		return nil, err
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	return document.Content[0], nil
}

// fileEntries returns the entries under probes, or the line of an error.
func fileEntries(root *yaml.Node) (entries []fileEntry, line int, err error) {
	line, err = pairs(root, []string{"probes"}, func(_ string, list *yaml.Node) (int, error) {
		if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
			return list.Line, errors.New("probes: expected a list of entries")
		}
		for _, item := range list.Content {
			e := fileEntry{line: item.Line}
			if line, err := pairs(item, fileKeys, e.set); err != nil {
				return line, err
			}
			if e.event == "" {
				return item.Line, errors.New("an entry needs an event")
			}
			entries = append(entries, e)
		}
		return 0, nil
	})
	if err == nil && entries == nil {
		return nil, root.Line, errors.New("expected probes:, and a list below it")
	}
	return entries, line, err
}

// pairs calls set for each key and value of a mapping. It returns the line of an error.
func pairs(n *yaml.Node, known []string, set func(key string, value *yaml.Node) (int, error)) (int, error) {
	if n = target(n); n.Kind != yaml.MappingNode {
		return n.Line, errors.New("expected " + strings.Join(known, ":, ") + ":")
	}
	given := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], target(n.Content[i+1])
		switch {
		case known != nil && !slices.Contains(known, key.Value):
			near := nearest.To(key.Value)
			for _, k := range known {
				near.Add(k)
			}
			err := fmt.Errorf("no such key: %s; there are %s", key.Value, strings.Join(known, ", "))
			if names := near.Names(); len(names) > 0 {
				err = fmt.Errorf("no such key: %s (nearest: %s)", key.Value, names[0])
			}
			return key.Line, err
		case given[key.Value]:
			return key.Line, fmt.Errorf("%s is given twice", key.Value)
		}
		given[key.Value] = true
		if line, err := set(key.Value, value); err != nil {
			return line, err
		}
	}
	return 0, nil
}

// target resolves an alias.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// set sets one key of an entry.
func (e *fileEntry) set(key string, value *yaml.Node) (line int, err error) {
	text := func(to *string) (int, error) {
		if value.Kind != yaml.ScalarNode || value.Value == "" {
			return value.Line, fmt.Errorf("%s: expected text", key)
		}
		*to = value.Value
		return 0, nil
	}
	switch key {
	case "event":
		return text(&e.event)
	case "name":
		return text(&e.name)
	case "filter":
		return text(&e.filter)
	case "binary":
		return text(&e.context.Binary)
	case "module":
		return text(&e.context.Module)
	case "args":
		if value.Kind != yaml.SequenceNode {
			return value.Line, errors.New("args: expected a list, such as [size=arg0:u64]")
		}
		for _, item := range value.Content {
			if item = target(item); item.Kind != yaml.ScalarNode || item.Value == "" {
				return item.Line, errors.New("args: expected text in the list, such as size=arg0:u64")
			}
			e.args = append(e.args, item.Value)
		}
		return 0, nil
	}
	return pairs(value, modifierKeys, func(key string, value *yaml.Node) (int, error) {
		if value.Kind != yaml.ScalarNode || value.Value == "" {
			return value.Line, fmt.Errorf("%s: expected a value", key)
		}
		e.modifiers = append(e.modifiers, key+"="+value.Value)
		return 0, nil
	})
}

// modifierKeys are the modifiers of the event grammar, except for name, which has its own
// key.
var modifierKeys = []string{"stack", "depth", "rate", "every", "max", "min-dur", "str"}

// parse parses the event that the entry spells.
func (e *fileEntry) parse(g Grammar) ([]Event, error) {
	text := e.event
	if e.name != "" {
		text = e.name + "=" + text
	}
	for _, a := range e.args {
		text += " " + a
	}
	if len(e.modifiers) > 0 {
		text += " [" + strings.Join(e.modifiers, ",") + "]"
	}
	events, err := g.Parse(e.context, text)
	if err != nil {
		return nil, err
	}
	if len(events) > 1 && text != e.event {
		return nil, fmt.Errorf("%d events: events with a name, arguments or modifiers need separate entries", len(events))
	}
	for i := range events {
		if e.filter != "" {
			if err := events[i].Require(e.filter); err != nil {
				return nil, err
			}
		}
	}
	return events, nil
}
