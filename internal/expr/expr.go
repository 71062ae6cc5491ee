package expr

import "slices"

// An Expr is a parsed expression that is not checked yet.
type Expr struct {
	source string
	root   *Node
}

// Source returns the text of the expression.
func (e *Expr) Source() string { return e.source }

// Unknown returns the names in an expression that a scope does not define, each once, in
// order of appearance.
func (e *Expr) Unknown(s *Scope) []string {
	var names []string
	words := make(map[*Node]bool)
	e.root.walk(func(n *Node) {
		if n.Y != nil && n.X.Op == OpName && n.Op.Compares() {
			if slot, message := s.lookup(n.X.Text); message == "" && s.vars[slot].Type == Text {
				words[n.Y] = true // a bare word, as in ftrace
			}
		}
		if n.Op == OpName && !words[n] && !s.Has(n.Text) && !slices.Contains(names, n.Text) {
			names = append(names, n.Text)
		}
	})
	return names
}
