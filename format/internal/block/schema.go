package block

// A Column describes one column of a kind of block. It has one value per row, or one list
// per row, whose lengths an earlier column holds.
type Column struct {
	ID      uint16
	Name    string
	Lengths bool   // holds the lengths of each row's lists
	List    uint16 // ID of the column of lengths; 0 means one value per row
	Text    bool   // holds bytes
}

// Columns returns the columns of a kind in ascending order of ID, and whether the kind is
// known. For Hits, it does not include columns of arguments. The caller must not modify the
// slice.
func (k Kind) Columns() (columns []Column, ok bool) {
	columns, ok = schema[k]
	return columns, ok
}

var schema = map[Kind][]Column{
	File: {
		{ID: FileKeyLength, Lengths: true},
		{ID: FileKey, Name: "key", List: FileKeyLength, Text: true},
		{ID: FileValueLength, Lengths: true},
		{ID: FileValue, Name: "value", List: FileValueLength, Text: true},
	},
	Segment: {
		{ID: SegmentSequence, Name: "sequence"},
		{ID: SegmentMonotonic, Name: "monotonic"},
		{ID: SegmentBoottime, Name: "boottime"},
		{ID: SegmentRealtime, Name: "realtime"},
	},
	Strings: {
		{ID: StringLength, Lengths: true},
		{ID: StringText, Name: "text", List: StringLength, Text: true},
	},
	Images: {
		{ID: ImageKind, Name: "kind"},
		{ID: ImagePath, Name: "path"},
		{ID: ImageBuildID, Name: "build_id"},
		{ID: ImageDevice, Name: "device"},
		{ID: ImageInode, Name: "inode"},
	},
	Frames: {
		{ID: FrameImage, Name: "image"},
		{ID: FrameKind, Name: "kind"},
		{ID: FrameFlags, Name: "flags"},
		{ID: FrameOffset, Name: "offset"},
	},
	Stacks: {
		{ID: StackKernel, Name: "kernel"},
		{ID: StackCut, Name: "cut"},
		{ID: StackLength, Lengths: true},
		{ID: StackFrames, Name: "frames", List: StackLength},
		{ID: StackBack, Name: "back"},
		{ID: StackShared, Name: "shared"},
	},
	Tasks: {
		{ID: TaskPID, Name: "pid"},
		{ID: TaskTID, Name: "tid"},
		{ID: TaskComm, Name: "comm"},
	},
	Shapes: {
		{ID: ShapeLength, Lengths: true},
		{ID: FieldName, Name: "name", List: ShapeLength},
		{ID: FieldType, Name: "type", List: ShapeLength},
		{ID: FieldSize, Name: "size", List: ShapeLength},
		{ID: FieldCount, Name: "count", List: ShapeLength},
		{ID: FieldNames, Name: "names", List: ShapeLength},
	},
	Probes: {
		{ID: ProbeKind, Name: "kind"},
		{ID: ProbeName, Name: "name"},
		{ID: ProbeEvent, Name: "event"},
		{ID: ProbeShape, Name: "shape"},
		{ID: ProbePeriod, Name: "period"},
	},
	Symbols: {
		{ID: SymbolFrame, Name: "frame"},
		{ID: SymbolLength, Lengths: true},
		{ID: CallFunction, Name: "function", List: SymbolLength},
		{ID: CallFile, Name: "file", List: SymbolLength},
		{ID: CallLine, Name: "line", List: SymbolLength},
		{ID: SymbolStart, Name: "start"},
	},
	Hits: {
		{ID: HitTime, Name: "time"},
		{ID: HitCPU, Name: "cpu"},
		{ID: HitTask, Name: "task"},
		{ID: HitProbe, Name: "probe"},
		{ID: HitKernelStack, Name: "kernel"},
		{ID: HitUserStack, Name: "user"},
		// followed by arg0, arg1, … from HitArg
	},
	Loss: {
		{ID: LossProbe, Name: "probe"},
		{ID: LossCPU, Name: "cpu"},
		{ID: LossCause, Name: "cause"},
		{ID: LossCount, Name: "n"},
	},
	SegmentEnd: {
		{ID: EndStrings, Name: "strings"},
		{ID: EndImages, Name: "images"},
		{ID: EndFrames, Name: "frames"},
		{ID: EndStacks, Name: "stacks"},
		{ID: EndTasks, Name: "tasks"},
		{ID: EndShapes, Name: "shapes"},
		{ID: EndProbes, Name: "probes"},
		{ID: EndHits, Name: "hits"},
	},
}
