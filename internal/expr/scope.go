package expr

import (
	"fmt"
	"slices"
	"strings"
)

// A Var is a named value.
type Var struct {
	Name string
	Type Type
}

// A Scope holds the values that expressions may use: the arguments of a probe and what
// every hit has. The zero Scope is empty and ready to use.
type Scope struct {
	vars    []Var
	names   map[string]int
	refused map[string]string
}

// Add adds a value with its names and returns its index. Indices count from 0. A name that
// is already defined keeps its meaning. a.b and a->b are the same name.
func (s *Scope) Add(v Var, aliases ...string) (slot int) {
	if s.names == nil {
		s.names = make(map[string]int)
	}
	slot = len(s.vars)
	s.vars = append(s.vars, v)
	for _, name := range append([]string{v.Name}, aliases...) {
		name = normalize(name)
		if _, taken := s.names[name]; !taken {
			s.names[name] = slot
		}
	}
	return slot
}

// Refuse makes any use of a name an error with this reason.
func (s *Scope) Refuse(name, why string) {
	if s.refused == nil {
		s.refused = make(map[string]string)
	}
	s.refused[normalize(name)] = why
}

// Vars returns the values by index. The caller must not change them.
func (s *Scope) Vars() []Var { return s.vars }

// Has reports whether a name is defined or refused.
func (s *Scope) Has(name string) bool {
	name = normalize(name)
	_, ok := s.names[name]
	return ok || s.refused[name] != ""
}

func normalize(name string) string { return strings.ReplaceAll(name, "->", ".") }

// lookup finds a value. message is not empty if it cannot be used.
func (s *Scope) lookup(name string) (slot int, message string) {
	name = normalize(name)
	if why := s.refused[name]; why != "" {
		return 0, why
	}
	if slot, ok := s.names[name]; ok {
		return slot, ""
	}
	return 0, s.unknown(name)
}

// listed is the maximum number of names in an error.
const listed = 40

func (s *Scope) unknown(name string) string {
	message := "there is no " + name
	var near []string
	var all []string
	for _, v := range s.vars {
		if alike(name[strings.LastIndexByte(name, '.')+1:], v.Name[strings.LastIndexByte(v.Name, '.')+1:]) {
			near = append(near, v.Name)
		}
		all = append(all, v.Name+":"+v.Type.String())
	}
	if len(near) > 0 {
		message += ", but " + strings.Join(near, ", ")
	}
	if len(all) == 0 {
		return message
	}
	if len(all) > listed {
		all = append(all[:listed:listed], fmt.Sprintf("and %d more", len(all)-listed))
	}
	return message + "; there are " + strings.Join(all, " ")
}

// alike reports whether one name is a part or a likely misspelling of the other.
func alike(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if short := min(len(a), len(b)); short >= 3 && (strings.Contains(a, b) || strings.Contains(b, a)) {
		return true
	}
	return distance(a, b) <= max(1, len(a)/4)
}

// distance returns the edit distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// used returns the indices of the values that a tree refers to, each once.
func used(root *Node) []int {
	var slots []int
	root.walk(func(n *Node) {
		if n.Op == OpName && !slices.Contains(slots, n.Slot) {
			slots = append(slots, n.Slot)
		}
	})
	slices.Sort(slots)
	return slots
}
