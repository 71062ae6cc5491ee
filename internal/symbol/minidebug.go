package symbol

import (
	"bytes"
	"fmt"
	"io"

	"trapline/internal/elffile"
)

// maxMiniDebug limits mini debug info, packed and unpacked, in bytes.
const maxMiniDebug = 32 << 20

// readMiniDebug reads the ELF file in .gnu_debugdata: mostly the symbols that a stripped
// image lacks in .dynsym ("MiniDebugInfo" in the manual of GDB). It returns nil if there is
// none.
func (e *ELF) readMiniDebug() (o *object) {
	var err error
	defer func() {
		if err != nil {
			o = nil
		}
	}()
	defer guard("reading mini debug info", &err)
	b, err := MiniDebug(e.file)
	if err != nil || b == nil {
		return nil
	}
	if o, err = tryObject(bytes.NewReader(b), e.memory); err != nil {
		return nil
	}
	e.memory.Add(len(b))
	return o
}

// MiniDebug unpacks the ELF file in .gnu_debugdata, nil if there is none. Whatever the
// section claims, it takes at most about four times maxMiniDebug while it works.
func MiniDebug(f *elffile.File) ([]byte, error) {
	s := f.Section(".gnu_debugdata")
	if s == nil {
		return nil, nil
	}
	if s.Size > maxMiniDebug || s.FileSize > maxMiniDebug {
		return nil, fmt.Errorf("%s has %d bytes, which is more than %d", s.Name, s.Size, maxMiniDebug)
	}
	packed, err := f.Contents(s)
	if err != nil {
		return nil, err
	}
	// Symbols compress three- to tenfold. More is a bomb.
	return unpackXZ(packed, min(maxMiniDebug, 1<<20+64*len(packed)))
}

// unpackXZ unpacks an xz file of at most limit bytes.
func unpackXZ(packed []byte, limit int) ([]byte, error) {
	r := &xzReader{r: bytes.NewReader(packed), limit: limit}
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("unpacking xz: %w", err)
	}
	if len(b) > limit {
		return nil, fmt.Errorf("unpacking xz: more than %d bytes", limit)
	}
	return b, nil
}
