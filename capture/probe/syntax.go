package probe

import "trapline/format"

// A Syntax is how events of one kind are spelled and what they may ask for.
type Syntax struct {
	Kind format.ProbeKind
	// Spellings stand before the colon, the canonical one first.
	Spellings []string
	// ReturnOf is the kind of the probe at the entry of the calls at whose return this
	// kind hits; ProbeUnknown: it does not hit at returns.
	ReturnOf format.ProbeKind

	InPrograms bool // arguments are a user program's
	Arguments  bool // hits have the function's arguments or the tracepoint's fields
	Registers  bool // hits have registers and stack words
	Offsets    bool // FUNCTION+OFFSET is allowed
	Addresses  bool // an address alone is allowed, in the kernel
}

// Name is the canonical spelling.
func (s *Syntax) Name() string { return s.Spellings[0] }

// AtReturn reports whether the events happen when a function returns.
func (s *Syntax) AtReturn() bool { return s.ReturnOf != format.ProbeUnknown }
