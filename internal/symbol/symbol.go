// Package symbol names code: (image, offset) → function, file, line and inlined
// calls. It reads ELF symbol tables, DWARF, Go's line tables and the kernel's own
// list of symbols. Everything that it reads may be hostile: lengths are checked
// before memory is taken for them, and damage costs names, never the program.
package symbol

import "os"

// A Call is one function activation at an address.
type Call struct {
	Function string // linkage name: mangled as in the symbol table or DW_AT_linkage_name
	File     string
	Line     int    // 0: unknown
	Offset   uint64 // bytes from the function's first instruction; 0 for inlined calls
}

// A Function is a named range of an image's code.
type Function struct {
	Name    string
	Address uint64 // virtual address as linked
	Offset  uint64 // in the file, through the PT_LOAD segment that holds Address
	Size    uint64 // bytes; symbols without a size reach to the next one
	Global  bool   // bound globally or weakly
}

// Options say where an image comes from and how much of it is wanted. The zero
// value takes all that the image itself and the system's debug directory have.
type Options struct {
	// Path is the image's name as the process saw it: .gnu_debuglink is looked
	// up beside it. Without it only the debug directories are searched.
	Path string
	// Root is the directory that Path and the debug directories of the process
	// are under: "" or /proc/PID/root. The debug directories of this machine are
	// searched as well: what is found must match the image in any case.
	Root string
	// DebugDirs hold separate debug files; nil: /usr/lib/debug.
	DebugDirs []string
	// Held are debug files that [OpenDebugFiles] has opened. They are read in place of
	// the files that have their names now, and stay open.
	Held []*os.File
	// NoLines asks for functions only: no files, lines and inlined calls.
	NoLines bool
}
