package format

// A blockSpec names the columns of one kind of block, in ascending order of ID.
// The text twin is made from it.
type blockSpec struct {
	name    string
	columns []columnSpec
}

// A columnSpec is one column. Without a list it has one value a row; lists of
// rows are in columns after the column of their lengths.
type columnSpec struct {
	id      uint16
	name    string
	lengths bool   // holds how many elements each row's lists have
	list    uint16 // ID of the column with the lengths
	text    bool   // holds bytes
}

var specs = map[kind]blockSpec{
	kindFile: {"FILE", []columnSpec{
		{id: fileKeyLength, lengths: true},
		{id: fileKey, name: "key", list: fileKeyLength, text: true},
		{id: fileValueLength, lengths: true},
		{id: fileValue, name: "value", list: fileValueLength, text: true},
	}},
	kindSegment: {"SEGMENT", []columnSpec{
		{id: segmentSequence, name: "sequence"},
		{id: segmentMonotonic, name: "monotonic"},
		{id: segmentBoottime, name: "boottime"},
		{id: segmentRealtime, name: "realtime"},
	}},
	kindStrings: {"STRINGS", []columnSpec{
		{id: stringLength, lengths: true},
		{id: stringText, name: "text", list: stringLength, text: true},
	}},
	kindImages: {"IMAGES", []columnSpec{
		{id: imageKind, name: "kind"},
		{id: imagePath, name: "path"},
		{id: imageBuildID, name: "build_id"},
		{id: imageDevice, name: "device"},
		{id: imageInode, name: "inode"},
	}},
	kindFrames: {"FRAMES", []columnSpec{
		{id: frameImage, name: "image"},
		{id: frameKind, name: "kind"},
		{id: frameFlags, name: "flags"},
		{id: frameOffset, name: "offset"},
	}},
	kindStacks: {"STACKS", []columnSpec{
		{id: stackKernel, name: "kernel"},
		{id: stackCut, name: "cut"},
		{id: stackLength, lengths: true},
		{id: stackFrames, name: "frames", list: stackLength},
		{id: stackBack, name: "back"},
		{id: stackShared, name: "shared"},
	}},
	kindTasks: {"TASKS", []columnSpec{
		{id: taskPID, name: "pid"},
		{id: taskTID, name: "tid"},
		{id: taskComm, name: "comm"},
	}},
	kindShapes: {"SHAPES", []columnSpec{
		{id: shapeLength, lengths: true},
		{id: fieldName, name: "name", list: shapeLength},
		{id: fieldType, name: "type", list: shapeLength},
		{id: fieldSize, name: "size", list: shapeLength},
		{id: fieldCount, name: "count", list: shapeLength},
		{id: fieldNames, name: "names", list: shapeLength},
	}},
	kindProbes: {"PROBES", []columnSpec{
		{id: probeKind, name: "kind"},
		{id: probeName, name: "name"},
		{id: probeEvent, name: "event"},
		{id: probeShape, name: "shape"},
		{id: probePeriod, name: "period"},
	}},
	kindSymbols: {"SYMBOLS", []columnSpec{
		{id: symbolFrame, name: "frame"},
		{id: symbolLength, lengths: true},
		{id: callFunction, name: "function", list: symbolLength},
		{id: callFile, name: "file", list: symbolLength},
		{id: callLine, name: "line", list: symbolLength},
		{id: symbolStart, name: "start"},
	}},
	kindHits: {"HITS", []columnSpec{
		{id: hitTime, name: "time"},
		{id: hitCPU, name: "cpu"},
		{id: hitTask, name: "task"},
		{id: hitProbe, name: "probe"},
		{id: hitKernelStack, name: "kernel"},
		{id: hitUserStack, name: "user"},
		// and arg0, arg1, … from hitArg on
	}},
	kindLoss: {"LOSS", []columnSpec{
		{id: lossProbe, name: "probe"},
		{id: lossCPU, name: "cpu"},
		{id: lossCause, name: "cause"},
		{id: lossCount, name: "n"},
	}},
	kindSegmentEnd: {"SEGEND", []columnSpec{
		{id: endStrings, name: "strings"},
		{id: endImages, name: "images"},
		{id: endFrames, name: "frames"},
		{id: endStacks, name: "stacks"},
		{id: endTasks, name: "tasks"},
		{id: endShapes, name: "shapes"},
		{id: endProbes, name: "probes"},
		{id: endHits, name: "hits"},
	}},
}

// Column IDs are even: the odd one after each is for its table of values.
const (
	fileKeyLength uint16 = 2 * (iota + 1)
	fileKey
	fileValueLength
	fileValue
)

const (
	segmentSequence uint16 = 2 * (iota + 1)
	segmentMonotonic
	segmentBoottime
	segmentRealtime
)

const (
	stringLength uint16 = 2 * (iota + 1)
	stringText
)

const (
	imageKind uint16 = 2 * (iota + 1)
	imagePath
	imageBuildID
	imageDevice
	imageInode
)

const (
	frameImage uint16 = 2 * (iota + 1)
	frameKind
	frameFlags
	frameOffset
)

const (
	stackKernel uint16 = 2 * (iota + 1)
	stackCut
	stackLength
	stackFrames
	stackBack
	stackShared
)

const (
	taskPID uint16 = 2 * (iota + 1)
	taskTID
	taskComm
)

const (
	shapeLength uint16 = 2 * (iota + 1)
	fieldName
	fieldType
	fieldSize
	fieldCount
	fieldNames
)

const (
	probeKind uint16 = 2 * (iota + 1)
	probeName
	probeEvent
	probeShape
	probePeriod
)

const (
	symbolFrame uint16 = 2 * (iota + 1)
	symbolLength
	callFunction
	callFile
	callLine
	symbolStart
)

const (
	hitTime uint16 = 2 * (iota + 1)
	hitCPU
	hitTask
	hitProbe
	hitKernelStack
	hitUserStack
	hitArg uint16 = 256 // and on, in steps of 2: one a column of the shape
)

// hitFixed is how many columns hits of every shape have.
const hitFixed = int(hitUserStack / 2)

const (
	lossProbe uint16 = 2 * (iota + 1)
	lossCPU
	lossCause
	lossCount
)

const (
	endStrings uint16 = 2 * (iota + 1)
	endImages
	endFrames
	endStacks
	endTasks
	endShapes
	endProbes
	endHits
)
