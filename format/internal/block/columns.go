package block

// Column IDs are even. The odd ID after each is for its table of values.
const (
	FileKeyLength uint16 = 2 * (iota + 1)
	FileKey
	FileValueLength
	FileValue
)

const (
	SegmentSequence uint16 = 2 * (iota + 1)
	SegmentMonotonic
	SegmentBoottime
	SegmentRealtime
)

const (
	StringLength uint16 = 2 * (iota + 1)
	StringText
)

const (
	ImageKind uint16 = 2 * (iota + 1)
	ImagePath
	ImageBuildID
	ImageDevice
	ImageInode
)

const (
	FrameImage uint16 = 2 * (iota + 1)
	FrameKind
	FrameFlags
	FrameOffset
)

const (
	StackKernel uint16 = 2 * (iota + 1)
	StackCut
	StackLength
	StackFrames
	StackBack
	StackShared
)

const (
	TaskPID uint16 = 2 * (iota + 1)
	TaskTID
	TaskComm
)

const (
	ShapeLength uint16 = 2 * (iota + 1)
	FieldName
	FieldType
	FieldSize
	FieldCount
	FieldNames
)

const (
	ProbeKind uint16 = 2 * (iota + 1)
	ProbeName
	ProbeEvent
	ProbeShape
	ProbePeriod
)

const (
	SymbolFrame uint16 = 2 * (iota + 1)
	SymbolLength
	CallFunction
	CallFile
	CallLine
	SymbolStart
)

const (
	HitTime uint16 = 2 * (iota + 1)
	HitCPU
	HitTask
	HitProbe
	HitKernelStack
	HitUserStack
	HitArg uint16 = 256 // and up in steps of 2: one per column of the shape
)

// HitFixed is the number of columns that hits of every shape have.
const HitFixed = int(HitUserStack / 2)

// HitColumn returns the ID of the i-th column of hits. Columns of arguments come after the
// HitFixed ones.
func HitColumn(i int) uint16 {
	if i < HitFixed {
		return HitTime + 2*uint16(i)
	}
	return HitArg + 2*uint16(i-HitFixed)
}

// HitIndex is the inverse of [HitColumn].
func HitIndex(id uint16) int {
	if id < HitArg {
		return int(id-HitTime) / 2
	}
	return int(id-HitArg)/2 + HitFixed
}

const (
	LossProbe uint16 = 2 * (iota + 1)
	LossCPU
	LossCause
	LossCount
)

const (
	EndStrings uint16 = 2 * (iota + 1)
	EndImages
	EndFrames
	EndStacks
	EndTasks
	EndShapes
	EndProbes
	EndHits
)
