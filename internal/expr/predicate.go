package expr

// A Predicate is a checked expression, with known names and types: the condition for
// keeping a hit.
type Predicate struct {
	// Root is the tree with names resolved, constants folded and conversions explicit. Its
	// result is an integer; it is true if not 0.
	Root  *Node
	scope *Scope
}

// Used returns the scope indices of the values that the predicate uses, in ascending order.
func (p *Predicate) Used() []int { return used(p.Root) }

// Vars returns the variables of the scope by index.
func (p *Predicate) Vars() []Var { return p.scope.vars }

// And returns the predicate that holds when both do. They must have been checked in the
// same scope. p may be nil: the result is then q.
func (p *Predicate) And(q *Predicate) *Predicate {
	if p == nil {
		return q
	}
	return &Predicate{Root: &Node{Op: OpAnd, X: p.Root, Y: q.Root, Type: S32}, scope: p.scope}
}
