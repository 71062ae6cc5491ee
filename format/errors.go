package format

import (
	"errors"
	"fmt"
)

var (
	// ErrNotCapture means that the input does not begin as captures do.
	ErrNotCapture = errors.New("not a trapline capture")
	// ErrTruncated means that the input ends inside a block or segment: the recorder
	// was killed, or the copy is incomplete. All whole blocks have been returned.
	ErrTruncated = errors.New("capture ends early: the recording or the copy was cut off")
)

// A VersionError means that a part has a newer major version of the format.
type VersionError struct{ Major uint16 }

func (e *VersionError) Error() string {
	return fmt.Sprintf("capture has version %d of the format, but this program reads only up to version %d: use a newer trapline", e.Major, Version)
}

// A CorruptError tells where and how a capture violates the format.
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
