package unwind

import (
	"cmp"
	"slices"
	"sort"
	"sync"
)

// A frameIndex finds entries of tables that have no sorted index: .debug_frame, and
// .eh_frame without .eh_frame_hdr.
type frameIndex struct {
	frameTable
	functions func() []function
}

// A function holds the address of a function and the offset of its frame description.
type function struct{ begin, fde uint64 }

// maxFunctions limits the index. The largest programs have about a million functions.
const maxFunctions = 4 << 20

// newFrameIndex returns an index that is built on first use. It omits frame descriptions
// of addresses that are not executable: linkers that drop a function leave its entry in
// .debug_frame, with an address near 0.
func newFrameIndex(t frameTable, executable func(vaddr uint64) bool) *frameIndex {
	x := &frameIndex{frameTable: t}
	x.functions = sync.OnceValue(func() []function { return x.build(executable) })
	return x
}

func (x *frameIndex) build(executable func(vaddr uint64) bool) []function {
	var functions []function
	var last cie
	var lastAt uint64
	var known bool
	for at := uint64(0); len(functions) < maxFunctions; {
		e, ok := x.entry(at, maxFDE)
		if !ok {
			break
		}
		head := at
		at = e.end
		if e.body.Len() == 0 {
			if x.terminated {
				break
			}
			continue
		}
		if e.isCIE {
			continue
		}
		if !known || lastAt != e.cie {
			last, known = x.cie(e.cie)
			lastAt = e.cie
		}
		if !known {
			continue
		}
		if f, ok := x.describe(&e, &last); ok && f.size > 0 && executable(f.begin) {
			functions = append(functions, function{f.begin, head})
		}
	}
	slices.SortFunc(functions, func(a, b function) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.fde, b.fde))
	})
	return slices.Clip(functions)
}

func (x *frameIndex) row(vaddr uint64) (row, bool) {
	functions := x.functions()
	i := sort.Search(len(functions), func(i int) bool { return functions[i].begin > vaddr })
	if i == 0 {
		return row{}, false
	}
	f, ok := x.fde(functions[i-1].fde)
	if !ok || !f.covers(vaddr) {
		return row{}, false
	}
	return f.row(vaddr)
}
