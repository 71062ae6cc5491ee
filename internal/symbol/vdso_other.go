//go:build !linux

package symbol

import (
	"bytes"
	"errors"
)

// VDSO returns an error, since only Linux has a vdso.
func VDSO() (*bytes.Reader, error) {
	return nil, errors.New("finding the vdso: only Linux has one")
}
