package unwind

// Registers are the general registers of an interrupted x86-64 task by their
// DWARF numbers, the program counter at RegIP.
type Registers struct {
	Value [17]uint64
	Known uint32 // bit n: Value[n] is known
}

// Memory is a copied piece of stack. Base is the address of its first byte.
type Memory struct {
	Base  uint64
	Bytes []byte
}

// A Finder finds the image that is mapped at an address.
type Finder interface {
	// Find returns the image, nil where its unwind information is not known (code made at
	// run time, a file that cannot be read), and where in the file the address lies.
	// ok is false when nothing that can be executed is mapped there.
	Find(address uint64) (image *Image, offset uint64, ok bool)
}

// A Frame is one frame of an unwound stack.
type Frame struct {
	Address uint64
	// Return: the address is a return address; what called lies before it.
	Return bool
	// Image and Offset are what Find said of the address.
	Image  *Image
	Offset uint64
	Rule   Rule // the step to the next frame, RuleNone for the last one where no step was found
	// Guessed: the step to the next frame was taken by FramePointerRule for want of unwind information.
	Guessed bool
}

// A Cut says why unwinding ended.
type Cut uint8

const (
	CutNone       Cut = iota // at the outermost frame
	CutDepth                 // at the limit on frames
	CutUnreadable            // at memory that was not copied
	CutNoRule                // at a frame that cannot be stepped from
)
