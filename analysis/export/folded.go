package export

import (
	"bufio"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// writeFolded writes "task;outermost;…;innermost hits" lines, sorted, each stack
// once: the input of flamegraph.pl and the output of its stackcollapse scripts.
func writeFolded(w io.Writer, r *Request) (*Summary, error) {
	result, err := r.aggregate(r.merged())
	if err != nil {
		return nil, err
	}
	names := newNamer()
	counts := map[string]uint64{}
	var steps []*step
	var line []byte
	for i := range result.Samples {
		s := &result.Samples[i]
		n := r.value(s)
		if n == 0 {
			continue
		}
		line = appendFolded(line[:0], taskName(s.Task), false, kindOther)
		steps = names.chain(steps[:0], s.Probe, s.Kernel, s.User)
		for _, st := range slices.Backward(steps) {
			line = append(line, ';')
			line = appendFolded(line, st.name, r.Annotate, st.kind)
		}
		counts[string(line)] += n
	}
	out := bufio.NewWriter(w)
	for _, stack := range slices.Sorted(maps.Keys(counts)) {
		out.WriteString(stack)
		out.WriteByte(' ')
		out.WriteString(strconv.FormatUint(counts[stack], 10))
		out.WriteByte('\n')
	}
	return result, out.Flush()
}

// appendFolded appends one frame. A semicolon separates frames, so it becomes a
// colon within one, as stackcollapse-perf.pl does it.
func appendFolded(dst []byte, name string, annotate bool, k kind) []byte {
	dst = append(dst, strings.ReplaceAll(name, ";", ":")...)
	if !annotate {
		return dst
	}
	switch k {
	case kindKernel:
		return append(dst, "_[k]"...)
	case kindInlined:
		return append(dst, "_[i]"...)
	}
	return dst
}
