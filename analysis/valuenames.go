package analysis

import (
	"strconv"
	"strings"
)

// ValueNames is what the numbers of an argument are called.
type ValueNames struct {
	names map[uint64]string
}

// Name returns what a number is called.
func (n *ValueNames) Name(v uint64) (string, bool) {
	if n == nil {
		return "", false
	}
	name, ok := n.names[v]
	return name, ok
}

// valueNames reads VALUE=NAME pairs with a space between two; nil when there are
// none. What is not a pair is passed over.
func (d *dictionary) valueNames(text string) *ValueNames {
	if text == "" {
		return nil
	}
	if n, ok := d.names[text]; ok {
		return n
	}
	n := &ValueNames{names: make(map[uint64]string)}
	for pair := range strings.FieldsSeq(text) {
		digits, name, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if v, err := strconv.ParseInt(digits, 10, 64); err == nil {
			n.names[uint64(v)] = name
		} else if v, err := strconv.ParseUint(digits, 10, 64); err == nil {
			n.names[v] = name
		}
	}
	d.names[text] = n
	return n
}
