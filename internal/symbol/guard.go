package symbol

import "fmt"

// guard turns a panic into an error: debug/elf may panic on damaged files.
func guard(doing string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: damaged file: %v", doing, r)
	}
}
