// Package column is the coding of columns: the numbers and texts that the payloads of
// blocks consist of. FORMAT.md, section 3, specifies it.
//
// A [Builder] appends columns to a payload, each under a [Recipe]. [Parse] finds the
// columns of a payload, and [Set] decodes those that are asked for.
package column
