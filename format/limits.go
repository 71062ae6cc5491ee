package format

import (
	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// Version is the major version of the format that this package reads and writes.
const Version = block.Version

// Limits that every writer keeps and every reader checks before it allocates.
const (
	// MaxPayload is the longest payload of a block, in bytes.
	MaxPayload = block.MaxPayload
	// MaxValues is the most values of a numeric column, and so the most rows of a block.
	MaxValues = column.MaxValues
	// MaxHits is the most hits of one block.
	MaxHits = 1 << 16
	// MaxString is the longest string, in bytes.
	MaxString = 1 << 20
	// MaxColumns is the most columns of a block, and so the most argument columns of a shape.
	MaxColumns = column.MaxColumns
	// MaxDictionaries is the most memory that the dictionaries of one segment
	// may take once decoded, in bytes, as budget.go counts it.
	MaxDictionaries = 256 << 20
)
