package analysis

import (
	"encoding/binary"
	"encoding/hex"

	"trapline/format"
)

// A symbolID identifies (function, image) pairs, so that grouping by symbol
// compares integers. 0 is no symbol.
type symbolID uint32

// A dictionary holds one copy of everything that the segments of all captures
// name.
type dictionary struct {
	demangle func(string) string

	images    map[imageKey]*Image
	frames    map[frameKey]uint32 // into frameList
	frameList []*Frame
	stacks    map[string]uint32 // encoded kind, cut and frames → stackList
	stackList []*Stack
	scratch   []byte

	calls     uint32            // made so far
	functions map[string]string // linkage → shown
	symbols   map[symbolKey]symbolID
	cuts      map[format.StackCut]*Call
	lostCall  *Call

	tasks     map[Task]uint32 // into taskList
	taskList  []*Task
	processes map[uint32]string   // names, by PID
	probes    map[string][]uint32 // by name: into probeList
	probeList []*Probe
	values    map[valueKey]uint32 // into valueList
	valueList []Value
}

// An imageKey tells images apart: by build ID where there is one, or else only
// within one boot of one machine, as offsets in files of the same path elsewhere
// may mean other functions.
type imageKey struct {
	kind          format.ImageKind
	path, buildID string
	boot          string
	device, inode uint64
}

type frameKey struct {
	image  *Image
	offset uint64
	flags  format.FrameFlags
	kind   format.FrameKind
	kernel bool
}

type symbolKey struct {
	image    *Image
	function string
	inlined  bool
	address  uint64 // of calls without a name: each address is its own symbol
}

type valueKey struct {
	arg    int // which of Query.Args
	kind   format.FieldType
	number uint64
	text   string // of strings and bytes; the elements of arrays
	symbol *Call
}

func newDictionary(demangle func(string) string) *dictionary {
	d := &dictionary{
		demangle:  demangle,
		images:    make(map[imageKey]*Image),
		frames:    make(map[frameKey]uint32),
		stacks:    make(map[string]uint32),
		functions: make(map[string]string),
		symbols:   make(map[symbolKey]symbolID),
		cuts:      make(map[format.StackCut]*Call),
		tasks:     make(map[Task]uint32),
		processes: make(map[uint32]string),
		probes:    make(map[string][]uint32),
		values:    make(map[valueKey]uint32),
	}
	d.lostCall = d.standIn("[truncated: lost with a damaged part of the capture]", false)
	return d
}

func (d *dictionary) image(s *format.Segment, img format.Image, boot string) *Image {
	k := imageKey{kind: img.Kind, path: s.String(img.Path), buildID: s.String(img.BuildID)}
	if k.buildID == "" {
		k.boot, k.device, k.inode = boot, img.Device, img.Inode
	}
	i, ok := d.images[k]
	if !ok {
		i = &Image{Kind: img.Kind, Path: k.path, BuildID: hex.EncodeToString([]byte(k.buildID))}
		d.images[k] = i
	}
	return i
}

// frame interns a frame. A name found in any segment serves all: the symbols of
// one may be lost to damage.
func (d *dictionary) frame(k frameKey, s *format.Segment, sym format.Symbol) uint32 {
	n, ok := d.frames[k]
	if !ok {
		n = uint32(len(d.frameList))
		d.frames[k] = n
		d.frameList = append(d.frameList, &Frame{Image: k.image, Offset: k.offset, Flags: k.flags})
	}
	f := d.frameList[n]
	switch {
	case len(sym.Calls) > 0 && (len(f.Calls) == 0 || f.Calls[0].Function == ""):
		f.Calls = d.named(k, s, sym)
	case len(f.Calls) == 0:
		f.Calls = []*Call{d.unnamed(k)}
	}
	return n
}

// lostFrame returns the frame that stands for those whose description was lost to
// damage.
func (d *dictionary) lostFrame() uint32 {
	k := frameKey{flags: ^format.FrameFlags(0), kind: ^format.FrameKind(0)}
	n, ok := d.frames[k]
	if !ok {
		n = uint32(len(d.frameList))
		d.frames[k] = n
		d.frameList = append(d.frameList, &Frame{Calls: []*Call{d.lostCall}})
	}
	return n
}

func (d *dictionary) unnamed(k frameKey) *Call {
	c := &Call{Image: k.image, Offset: k.offset, Kernel: k.kernel}
	d.identify(c, symbolKey{image: k.image, address: k.offset})
	return c
}

func (d *dictionary) named(k frameKey, s *format.Segment, sym format.Symbol) []*Call {
	list := make([]Call, len(sym.Calls))
	calls := make([]*Call, len(list))
	for i, sc := range sym.Calls {
		c := &list[i]
		*c = Call{
			Linkage:        s.String(sc.Function),
			File:           s.String(sc.File),
			Line:           int(sc.Line),
			Image:          k.image,
			Offset:         k.offset,
			FunctionOffset: sc.Offset,
			Kernel:         k.kernel,
			Inlined:        i < len(list)-1,
		}
		c.Function = d.function(c.Linkage)
		sk := symbolKey{image: k.image, function: c.Function, inlined: c.Inlined}
		if c.Function == "" {
			sk.address = k.offset
		}
		d.identify(c, sk)
		calls[i] = c
	}
	return calls
}

func (d *dictionary) function(linkage string) string {
	shown, ok := d.functions[linkage]
	if !ok {
		shown = linkage
		if d.demangle != nil {
			shown = d.demangle(linkage)
		}
		d.functions[linkage] = shown
	}
	return shown
}

func (d *dictionary) identify(c *Call, k symbolKey) {
	id, ok := d.symbols[k]
	if !ok {
		id = symbolID(len(d.symbols) + 1)
		d.symbols[k] = id
	}
	d.calls++
	c.symbol, c.index = id, d.calls
}

// standIn returns a call that stands for frames that are not there.
func (d *dictionary) standIn(text string, kernel bool) *Call {
	c := &Call{Function: text, Kernel: kernel, Truncated: true}
	d.identify(c, symbolKey{function: text})
	return c
}

func (d *dictionary) cut(c format.StackCut) *Call {
	call, ok := d.cuts[c]
	if !ok {
		call = d.standIn("[truncated: "+c.String()+"]", false)
		d.cuts[c] = call
	}
	return call
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
	for _, f := range shape.Fields {
		p.Fields = append(p.Fields, Field{Name: s.String(f.Name), Type: f.Type, Size: int(f.Size), Count: int(f.Count)})
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
