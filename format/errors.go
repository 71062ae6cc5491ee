package format

import (
	"errors"
	"fmt"
)

var (
	// ErrNotCapture says that the first bytes of the input are not a capture's.
	ErrNotCapture = errors.New("not a trapline capture")
	// ErrTruncated says that the input ends inside a block, or inside a segment:
	// the recorder was killed, or the copy is incomplete. Everything that was
	// whole has been returned before.
	ErrTruncated = errors.New("capture ends early: the recording or the copy was cut off")
)

// A VersionError says that a part was written in a newer major version of the format.
type VersionError struct{ Major uint16 }

func (e *VersionError) Error() string {
	return fmt.Sprintf("capture is in version %d of the format and this program reads up to version %d: use a newer one", e.Major, Version)
}

// A CorruptError says where and why bytes of a capture do not follow the format.
type CorruptError struct {
	Offset int64 // of the block in the input
	Reason string
	Err    error // cause, if any
}

func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("capture is damaged at offset %d: %s: %v", e.Offset, e.Reason, e.Err)
	}
	return fmt.Sprintf("capture is damaged at offset %d: %s", e.Offset, e.Reason)
}

func (e *CorruptError) Unwrap() error { return e.Err }
