package column

// Limits that every writer keeps and every reader checks before it allocates.
const (
	// MaxValues is the maximum number of values in a column of numbers.
	MaxValues = 1 << 21
	// MaxBytes is the maximum length of a column of bytes.
	MaxBytes = 16 << 20
	// MaxColumns is the maximum number of columns, not counting tables of values.
	MaxColumns = 4096
)
