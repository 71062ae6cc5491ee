package program

import (
	"debug/elf"
	"fmt"

	"trapline/capture/usdt"
)

// USDT returns the USDT probes of the program, sorted by provider and name.
func (f *File) USDT() (probes []usdt.Probe, err error) {
	// debug/elf may panic on damaged files.
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%s: damaged ELF file: %v", f.Path.Resolved, e)
		}
	}()
	file, err := elf.Open(f.Path.Open)
	if err != nil {
		return nil, fmt.Errorf("%s: not an ELF file: %w", f.Path.Resolved, err)
	}
	defer file.Close()
	if probes, err = usdt.Read(file); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path.Resolved, err)
	}
	return probes, nil
}
