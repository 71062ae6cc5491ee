package analysis

import (
	"encoding/binary"

	"trapline/format"
)

// A symbolID identifies (function, image) pairs, so that grouping by symbol
// compares integers. 0 is no symbol.
type symbolID uint32

// A dictionary holds one copy of everything that the segments of all captures
// name.
type dictionary struct {
	demangle func(string) string

	images    map[imageKey]uint32 // into imageList
	imageList []*Image            // 0: none is known
	frames    *table              // of frameKeys; numbers are those of frameList
	frameList []*Frame
	stacks    map[string]uint32 // encoded kind, cut and frames → stackList
	stackList []*Stack
	scratch   []byte

	calls      uint32            // made so far
	functions  map[string]string // linkage → shown
	symbols    map[symbolKey]symbolID
	addresses  *table     // image and offset of calls without a name
	unnamed    []symbolID // by number in addresses
	lastSymbol symbolID
	cuts       map[format.StackCut]*Call
	lostCall   *Call

	tasks     map[Task]uint32 // into taskList
	taskList  []*Task
	processes map[uint32]string   // names, by PID
	probes    map[string][]uint32 // by name: into probeList
	probeList []*Probe
	values    map[valueKey]uint32 // into valueList
	names     map[string]*ValueNames
	valueList []Value
}

type valueKey struct {
	arg    int // which of Query.Args
	kind   format.FieldType
	state  ValueState
	number uint64
	text   string // of strings and bytes; the elements of arrays
	symbol *Call
}

func newDictionary(demangle func(string) string) *dictionary {
	d := &dictionary{
		demangle:  demangle,
		images:    make(map[imageKey]uint32),
		imageList: []*Image{nil},
		frames:    newTable(2),
		stacks:    make(map[string]uint32),
		functions: make(map[string]string),
		symbols:   make(map[symbolKey]symbolID),
		addresses: newTable(2),
		cuts:      make(map[format.StackCut]*Call),
		tasks:     make(map[Task]uint32),
		processes: make(map[uint32]string),
		probes:    make(map[string][]uint32),
		values:    make(map[valueKey]uint32),
		names:     make(map[string]*ValueNames),
	}
	d.lostCall = d.standIn("[truncated: lost with a damaged part of the capture]", false)
	return d
}

// stack interns a stack of frames of frameList.
func (d *dictionary) stack(kernel bool, cut format.StackCut, frames []uint32, lost bool) uint32 {
	b := append(d.scratch[:0], byte(cut), flag(kernel)|flag(lost)<<1)
	for _, f := range frames {
		b = binary.LittleEndian.AppendUint32(b, f)
	}
	d.scratch = b
	if n, ok := d.stacks[string(b)]; ok {
		return n
	}
	n := uint32(len(d.stackList))
	st := &Stack{ID: int(n), Kernel: kernel, Cut: cut, Frames: make([]*Frame, len(frames))}
	for i, f := range frames {
		st.Frames[i] = d.frameList[f]
	}
	if lost {
		st.Calls = []*Call{d.lostCall}
	}
	d.stackList = append(d.stackList, st)
	d.stacks[string(b)] = n
	return n
}

// expand gives a stack its calls, when the symbols of its segment are known.
func (d *dictionary) expand(st *Stack) {
	if len(st.Calls) > 0 {
		return
	}
	n := len(st.Frames)
	for _, f := range st.Frames {
		n += len(f.Calls) - 1
	}
	calls := make([]*Call, 0, n+1)
	for _, f := range st.Frames {
		calls = append(calls, f.Calls...)
	}
	if st.Cut != format.CutNone {
		calls = append(calls, d.cut(st.Cut))
	}
	st.Calls = calls
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (d *dictionary) task(t Task) uint32 {
	n, ok := d.tasks[t]
	if !ok {
		n = uint32(len(d.taskList))
		d.tasks[t] = n
		d.taskList = append(d.taskList, &t)
	}
	return n
}

// nameProcess notes the name of a process: its main thread's, or else that of the
// first thread seen.
func (d *dictionary) nameProcess(t Task) {
	if _, ok := d.processes[t.PID]; !ok || t.TID == t.PID {
		d.processes[t.PID] = t.Comm
	}
}

// probe interns a probe. Recordings of the same name may differ in their fields,
// as kernels do.
func (d *dictionary) probe(s *format.Segment, id format.ProbeID) uint32 {
	p := d.newProbe(s, id)
	for _, n := range d.probes[p.Name] {
		if sameProbe(d.probeList[n], p) {
			return n
		}
	}
	n := uint32(len(d.probeList))
	d.probeList = append(d.probeList, p)
	d.probes[p.Name] = append(d.probes[p.Name], n)
	return n
}

func (d *dictionary) newProbe(s *format.Segment, id format.ProbeID) *Probe {
	fp, ok := s.Probe(id)
	if !ok {
		return &Probe{Name: "[lost]", Period: 1}
	}
	p := &Probe{Name: s.String(fp.Name), Event: s.String(fp.Event), Kind: fp.Kind, Period: max(fp.Period, 1)}
	shape, _ := s.Shape(fp.Shape)
	p.marks = findMarks(shape)
	column := 0
	for i, f := range shape.Fields {
		first := column
		column += int(f.Count)
		if f.Type.Mark() {
			continue
		}
		p.Fields = append(p.Fields, Field{Name: s.String(f.Name), Type: f.Type, Size: int(f.Size), Count: int(f.Count),
			Names: d.valueNames(s.String(f.Names)), column: first, mark: i})
	}
	return p
}

func sameProbe(a, b *Probe) bool {
	if a.Kind != b.Kind || a.Event != b.Event || a.Period != b.Period || len(a.Fields) != len(b.Fields) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i] != b.Fields[i] {
			return false
		}
	}
	return true
}
