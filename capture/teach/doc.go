// Package teach gives BPF programs the rules by which they walk stacks. It loads the
// rules of whole images in the background, derives kernel rules from ORC tables, and
// unwinds the stacks that programs could not walk.
package teach
