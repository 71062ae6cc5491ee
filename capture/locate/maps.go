package locate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxMappings bounds the memory that the maps of one process take. The kernel's default
// limit, vm.max_map_count, is 65530.
const maxMappings = 1 << 20

// A Mapping is a line of /proc/PID/maps.
type Mapping struct {
	Start, End uint64 // addresses; End is exclusive
	Offset     uint64 // in the file, in bytes
	Device     uint64 // major<<20 | minor
	Inode      uint64 // 0 means no file
	Perm       string // rwxp, with - for missing permissions and s for shared
	Path       string // followed by " (deleted)" if the file is; or a name such as [heap]
}

// ReadMaps parses text in the format of /proc/PID/maps.
func ReadMaps(r io.Reader) ([]Mapping, error) {
	var maps []Mapping
	s := bufio.NewScanner(r) // the longest path, 4096 bytes all escaped, fits its buffer
	for line := 1; s.Scan(); line++ {
		m, err := parseMapping(s.Text())
		if err != nil {
			return nil, fmt.Errorf("reading mappings: line %d: %w", line, err)
		}
		if maps = append(maps, m); len(maps) > maxMappings {
			return nil, fmt.Errorf("reading mappings: more than %d", maxMappings)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("reading mappings: %w", err)
	}
	return maps, nil
}

var errBadMapping = errors.New("not \"start-end perm offset major:minor inode path\"")

// parseMapping parses a line as written by show_map_vma in fs/proc/task_mmu.c:
// "55d0c0a00000-55d0c0a01000 r-xp 00001000 fd:01 1234      /usr/bin/cat".
func parseMapping(line string) (m Mapping, err error) {
	next := func(sep byte, base, bits int) (n uint64) {
		field, rest, ok := strings.Cut(line, string(rune(sep)))
		if !ok && sep != ' ' {
			err = errBadMapping
			return 0
		}
		line = rest
		n, e := strconv.ParseUint(field, base, bits)
		if e != nil {
			err = errBadMapping
		}
		return n
	}
	m.Start = next('-', 16, 64)
	m.End = next(' ', 16, 64)
	var ok bool
	if m.Perm, line, ok = strings.Cut(line, " "); !ok || len(m.Perm) != 4 {
		return m, errBadMapping
	}
	m.Offset = next(' ', 16, 64)
	m.Device = next(':', 16, 32) << 20 // MINORBITS in include/linux/kdev_t.h
	m.Device |= next(' ', 16, 20)
	m.Inode = next(' ', 10, 64)
	if err == nil && m.End < m.Start {
		err = errBadMapping
	}
	// The kernel escapes only line feeds: seq_path with "
	// ".
	m.Path = strings.ReplaceAll(strings.TrimLeft(line, " "), `\012`, "\n")
	return m, err
}
