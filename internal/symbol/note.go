package symbol

import (
	"bytes"
	"encoding/binary"
)

// NoteBuildID returns the GNU build ID in ELF notes in this machine's byte order, such as
// /sys/kernel/notes, or nil if there is none.
func NoteBuildID(notes []byte) (id []byte) {
	eachNote(notes, binary.NativeEndian, func(owner string, typ uint32, desc []byte) {
		if owner == "GNU" && typ == noteGNUBuildID && id == nil {
			id = bytes.Clone(desc)
		}
	})
	return id
}
