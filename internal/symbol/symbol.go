// Package symbol names code: (image, offset) → function, file, line and inlined calls. It
// reads ELF symbol tables, DWARF and Go's line tables. Input is not trusted: lengths are
// checked before memory is allocated, and damaged tables only cost names.
package symbol

import (
	"os"

	"trapline/internal/debuginfo"
)

// A Call is one function activation at an address.
type Call = debuginfo.Call

// A Function is a named range of code.
type Function struct {
	Name    string
	Address uint64 // linked virtual address
	Offset  uint64 // in the file, by PT_LOAD segments
	Size    uint64 // bytes; symbols without a size extend to the next one
	Global  bool   // binding is global or weak
}

// Options say where an image comes from and what to read. The zero value reads everything
// from the image and the system's debug directory.
type Options struct {
	// Path is the path of the image in the process. Debug files named by .gnu_debuglink
	// are searched in its directory, or if empty only in DebugDirs.
	Path string
	// Root is the root directory of the process, "" or /proc/PID/root. Path and DebugDirs
	// are relative to it. DebugDirs of this machine are searched as well.
	Root string
	// DebugDirs are directories with separate debug files; nil means /usr/lib/debug.
	DebugDirs []string
	// Held are debug files that OpenDebugFiles has opened. They are read in place of
	// the files that have their names now, and stay open.
	Held []*os.File
	// NoLines omits files, lines and inlined calls.
	NoLines bool
}
