package column

// Limits that every writer keeps and every reader checks before it allocates.
const (
	// MaxValues is the most values of a column of numbers.
	MaxValues = 1 << 21
	// MaxBytes is the most bytes of a column of bytes.
	MaxBytes = 16 << 20
	// MaxColumns is the most columns, those for tables of values not counted.
	MaxColumns = 4096
)
