package unwind

// Rule returns the rule at an offset of the file. For a return address, pass the offset of the byte before it.
func (m *Image) Rule(offset uint64) Rule {
	vaddr, ok := m.address(offset)
	if !ok {
		return Rule{}
	}
	r, ok := m.row(vaddr)
	if !ok {
		return Rule{}
	}
	return r.rule(vaddr)
}

// row returns the row at an address, from the first source that has one.
func (m *Image) row(vaddr uint64) (row, bool) {
	var r row
	var found bool
	for _, s := range m.sources() {
		if r, found = s.row(vaddr); found {
			break
		}
	}
	if m.returnsFromSignal(vaddr, found && !r.signal) {
		return row{kind: RuleSignal}, true
	}
	if !found && m.starts(vaddr) {
		return row{kind: RuleEnd}, true
	}
	return r, found
}

// entryCode is the number of bytes from an image's entry point that belong to the
// outermost frame if no table covers them. Entry code of C libraries has 20 to 50 bytes.
const entryCode = 64

// starts reports whether an address is in the code at the entry point.
func (m *Image) starts(vaddr uint64) bool { return m.file.Entry != 0 && vaddr-m.file.Entry < entryCode }

// returnsFromSignal reports whether an address belongs to code that returns from a signal
// handler. It looks at the code, not at tables: few tables mark it, and the mark alone
// (augmentation S) does not imply the kernel's frame.
//
// The byte before the code counts, too. The handler's return address is the first
// instruction, which nothing calls, and lookups use the byte before a return address. That
// byte is padding or the end of a function that does not return, unless it is a return
// instruction. The address after the code counts unless tables describe it as other code:
// tasks are there during the system call.
func (m *Image) returnsFromSignal(vaddr uint64, described bool) bool {
	p := m.segment(vaddr)
	if p == nil {
		return false
	}
	at := vaddr - p.Vaddr
	for _, r := range p.restorers.near(at / restorerPage) {
		switch {
		case at >= r.start && at < r.end:
			return true
		case at+1 == r.start:
			return !described || !r.afterRet
		case at == r.end:
			return !described
		}
	}
	return false
}
