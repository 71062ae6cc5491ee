package export

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"

	"trapline/analysis"
)

var folded = Format{
	Name: "folded", Suffixes: []string{".folded", ".collapsed"},
	Help:  "one line a distinct stack and its hits, for FlameGraph, inferno and speedscope",
	Write: writeFolded,
}

// writeFolded writes "task;outermost;…;innermost hits" lines, sorted, each stack
// once: the input of flamegraph.pl and the output of its stackcollapse scripts.
func writeFolded(w io.Writer, r *Request) (*Summary, error) {
	result, err := r.aggregate(r.merged())
	if err != nil {
		return nil, err
	}
	f := folder{
		tree:     analysis.NewTree(result.Samples, true, r.value),
		annotate: r.Annotate,
		out:      bufio.NewWriter(w),
	}
	f.below(nil, []fold{{node: 0}})
	return result, f.out.Flush()
}

// A folder writes the lines of a tree.
type folder struct {
	tree     *analysis.Tree
	annotate bool
	out      *bufio.Writer
}

// A fold is a node with what lines say of it: the line of the hits that end there
// is one fold, the lines of what is below another, whose text ends in a semicolon.
// Their places in the order of lines differ: "a 1", "a.cold 1", "a;b 1".
type fold struct {
	text string
	node int32
	own  bool // hits that end there
}

// below writes the lines of what is below the nodes of the folds, which all begin
// with the line.
func (f *folder) below(line []byte, above []fold) {
	folds := f.folds(above)
	for len(folds) > 0 {
		n := 1
		for n < len(folds) && folds[n].text == folds[0].text {
			n++
		}
		same := folds[:n] // lines do not tell them apart
		folds = folds[n:]
		line := append(line, same[0].text...)
		if !same[0].own {
			f.below(line, same)
			continue
		}
		weight := uint64(0)
		for _, s := range same {
			weight += f.tree.Nodes[s.node].Self
		}
		f.out.Write(line)
		f.out.WriteByte(' ')
		f.out.WriteString(strconv.FormatUint(weight, 10))
		f.out.WriteByte('\n')
	}
}

// folds returns those of the nodes' children, in the order of their lines.
func (f *folder) folds(above []fold) []fold {
	var folds []fold
	for _, a := range above {
		first := f.tree.Nodes[a.node].First
		for i, n := range f.tree.Children(a.node) {
			kind := analysis.KindOther
			if n.Call != nil {
				kind = n.Call.Kind()
			}
			text := appendFolded(nil, printable(n.Name()), f.annotate, kind)
			if n.Self > 0 {
				folds = append(folds, fold{string(text), first + int32(i), true})
			}
			if n.Count > 0 {
				folds = append(folds, fold{string(append(text, ';')), first + int32(i), false})
			}
		}
	}
	slices.SortFunc(folds, func(a, b fold) int { return strings.Compare(a.text, b.text) })
	return folds
}

// appendFolded appends one frame. A semicolon separates frames, so it becomes a
// colon within one, as stackcollapse-perf.pl does it.
func appendFolded(dst []byte, name string, annotate bool, k analysis.CallKind) []byte {
	dst = append(dst, strings.ReplaceAll(name, ";", ":")...)
	if !annotate {
		return dst
	}
	switch k {
	case analysis.KindKernel:
		return append(dst, "_[k]"...)
	case analysis.KindInlined:
		return append(dst, "_[i]"...)
	}
	return dst
}
