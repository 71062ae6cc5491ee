// Package usdt reads the statically defined probes that a program declares in its notes:
// where they are, and the operands that their arguments are in.
package usdt
