package format

// WriterOptions says how a capture is written.
type WriterOptions struct {
	// Level is how hard to compress: 0 not at all, 1 fastest to 4 best.
	// Negative, as when no options are given: 1.
	Level int
	// Resolution is what times of hits are rounded down to a multiple of, in ns:
	// half of a capture's size is the digits of its times below 1 us. 0 is 1.
	// Above that NewWriter adds the property [KeyResolution].
	Resolution uint16
}
