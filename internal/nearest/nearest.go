// Package nearest suggests existing names that are similar to one that does not exist.
package nearest

import (
	"cmp"
	"slices"
)

// Max is the maximum number of suggestions.
const Max = 3

// maxNearestName is the length in bytes of the longest name compared. Comparing takes
// time proportional to the product of both lengths.
const maxNearestName = 128

// A neighbour is a name with its edit distance from the wanted one.
type neighbour struct {
	name     string
	distance int
	prefix   int // length of the common prefix in bytes
}

func (a neighbour) compare(b neighbour) int {
	return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(b.prefix, a.prefix), cmp.Compare(a.name, b.name))
}

// A Finder collects the names closest to a wanted one.
type Finder struct {
	want  string
	limit int // largest distance worth suggesting
	best  []neighbour
	rows  [3][]int
}

// To returns a Finder for names similar to want.
func To(want string) *Finder {
	return &Finder{want: want, limit: max(1, len(want)/3)}
}

// Add considers a name.
func (n *Finder) Add(name string) {
	limit := n.limit
	if len(n.best) == Max {
		limit = min(limit, n.best[Max-1].distance)
	}
	if d := len(name) - len(n.want); d > limit || -d > limit || len(name) > maxNearestName {
		return
	}
	if d := n.distance(name, limit); d <= limit {
		n.Insert(name, d)
	}
}

// Insert adds a name at a given distance.
func (n *Finder) Insert(name string, d int) {
	entry := neighbour{name, d, commonPrefix(name, n.want)}
	i, known := slices.BinarySearchFunc(n.best, entry, neighbour.compare)
	if known {
		return
	}
	n.best = slices.Insert(n.best, i, entry)
	n.best = n.best[:min(len(n.best), Max)]
}

// Names returns the closest names, best first. It omits names that are much further away
// than the best.
func (n *Finder) Names() []string {
	var names []string
	for _, b := range n.best {
		if b.distance <= n.best[0].distance+1 {
			names = append(names, b.name)
		}
	}
	return names
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// distance returns the number of insertions, deletions, substitutions and swaps of
// adjacent bytes. If the distance exceeds limit, it returns any number above limit.
func (n *Finder) distance(name string, limit int) int {
	a, b := n.want, name
	for i := range n.rows {
		if n.rows[i] == nil || len(n.rows[i]) < len(b)+1 {
			n.rows[i] = make([]int, max(len(b)+1, maxNearestName+1))
		}
	}
	before, last, row := n.rows[0], n.rows[1], n.rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		lowest := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			lowest = min(lowest, d)
		}
		if lowest > limit+1 { // a swap may still reduce it
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
