package symbol

import (
	"bytes"
	"encoding/binary"
)

// NoteBuildID returns the GNU build ID among ELF notes in this machine's byte
// order, as in /sys/kernel/notes; nil when there is none.
func NoteBuildID(notes []byte) (id []byte) {
	eachNote(notes, binary.NativeEndian, func(owner string, typ uint32, desc []byte) {
		if owner == "GNU" && typ == noteGNUBuildID && id == nil {
			id = bytes.Clone(desc)
		}
	})
	return id
}
