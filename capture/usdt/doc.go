// Package usdt parses the USDT probes that a program declares in its notes, and the
// assembler operands of their arguments.
package usdt
