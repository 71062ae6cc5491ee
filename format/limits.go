package format

import (
	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// Version is the major version of the format that this package reads and writes.
const Version = block.Version

// Limits that every writer keeps and every reader checks before it allocates.
const (
	// MaxPayload is the maximum length of a block's payload, in bytes.
	MaxPayload = block.MaxPayload
	// MaxValues is the maximum number of values in a column of numbers, and so of rows in
	// a block.
	MaxValues = column.MaxValues
	// MaxHits is the maximum number of hits in a block.
	MaxHits = 1 << 16
	// MaxString is the maximum length of a string, in bytes.
	MaxString = 1 << 20
	// MaxColumns is the maximum number of columns in a block, and so of argument columns
	// in a shape.
	MaxColumns = column.MaxColumns
	// MaxDictionaries is the maximum memory that the decoded dictionaries of one segment
	// may take, in bytes, as budget.go counts it.
	MaxDictionaries = 256 << 20
)
