package format

// A Block is what [Reader.Next] returns: *File, *SegmentStart, *Hits, *Loss,
// *SegmentEnd or *Damage.
type Block interface{ isBlock() }

// A Loss is the account of hits so far. Its counts are cumulative in the part:
// later counts replace earlier ones of the same probe name, CPU and cause.
type Loss struct {
	Time    uint64 // ns of the part's clock
	Counts  []Count
	Segment *Segment // that defines the probes' IDs
}

// A SegmentEnd ends a segment: all its dictionaries and symbols have been read. Its
// figures are the writer's, so a reader can tell how much it missed.
type SegmentEnd struct {
	Segment *Segment
	Strings, Images, Frames, Stacks,
	Tasks, Shapes, Probes uint64 // entries of each dictionary
	Hits uint64
}

// Damage stands for bytes that could not be read. Hits in them are lost.
type Damage struct {
	Offset, Length int64 // in the input; Length 0: something is missing here
	Reason         string
}

// Err returns the damage as an error.
func (d *Damage) Err() error { return &CorruptError{Offset: d.Offset, Reason: d.Reason} }

func (*File) isBlock()         {}
func (*SegmentStart) isBlock() {}
func (*Hits) isBlock()         {}
func (*Loss) isBlock()         {}
func (*SegmentEnd) isBlock()   {}
func (*Damage) isBlock()       {}
