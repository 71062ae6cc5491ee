package block

import "strconv"

// A Kind tells what a block holds. Readers may ignore unknown kinds from Skippable on, but
// not those below.
type Kind uint8

const (
	File Kind = iota + 1
	Segment
	Strings
	Images
	Frames
	Stacks
	Tasks
	Shapes
	Probes
	Symbols
	Hits
	Loss
	SegmentEnd

	Skippable Kind = 128
)

var kindNames = [...]string{"", "FILE", "SEGMENT", "STRINGS", "IMAGES", "FRAMES", "STACKS", "TASKS", "SHAPES", "PROBES",
	"SYMBOLS", "HITS", "LOSS", "SEGEND"}

func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Named returns the kind with the name, or 0 if there is none.
func Named(name string) Kind {
	for k, n := range kindNames {
		if n == name && n != "" {
			return Kind(k)
		}
	}
	return 0
}
