package format

// WriterOptions control how a capture is written.
type WriterOptions struct {
	// Level is the compression level: 0 none, 1 fastest to 4 best. Negative levels, and
	// no options at all, mean 1.
	Level int
	// Resolution rounds times of hits down to a multiple of this many ns. The digits of
	// times below 1 µs make up half of a capture's size. 0 means 1. If it is above 1,
	// NewWriter adds the property [KeyResolution].
	Resolution uint16
}
