// Package layout describes what is recorded of a hit besides its stacks: the values that
// a program fetches ([Fetch]), where they lie in the record and how they are shown
// ([Field], [Record]), and which hits are kept ([Filter]). It is the contract between the
// code that finds values, the BPF programs, and the code that decodes their records.
package layout
