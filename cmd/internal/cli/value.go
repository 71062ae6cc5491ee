package cli

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"
)

// NumberVar defines a flag whose value is a decimal number from low to high. *p keeps its
// value, which may be outside, unless the flag is given.
func NumberVar[T int | uint64](set *pflag.FlagSet, p *T, name, shorthand string, low, high T, usage string) {
	set.VarP(&numberValue[T]{p, low, high}, name, shorthand, usage)
}

type numberValue[T int | uint64] struct {
	p         *T
	low, high T
}

func (v *numberValue[T]) Type() string   { return "number" }
func (v *numberValue[T]) String() string { return fmt.Sprint(*v.p) }

func (v *numberValue[T]) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n < uint64(v.low) || n > uint64(v.high) {
		return fmt.Errorf("must be a number from %d to %d", v.low, v.high)
	}
	*v.p = T(n)
	return nil
}

// TextVar defines a flag whose value is a text that is not empty. *p is the default.
func TextVar(set *pflag.FlagSet, p *string, name, shorthand, usage string) {
	set.VarP((*textValue)(p), name, shorthand, usage)
}

type textValue string

var errEmpty = errors.New("must not be empty")

func (v *textValue) Type() string   { return "string" }
func (v *textValue) String() string { return string(*v) }

func (v *textValue) Set(s string) error {
	if s == "" {
		return errEmpty
	}
	*v = textValue(s)
	return nil
}

// ListVar defines a flag whose value is a comma-separated list that is not empty. A
// repeated flag adds to the list.
func ListVar(set *pflag.FlagSet, p *string, name, shorthand, usage string) {
	set.VarP((*listValue)(p), name, shorthand, usage)
}

type listValue string

func (v *listValue) Type() string   { return "string" }
func (v *listValue) String() string { return string(*v) }

func (v *listValue) Set(s string) error {
	if s == "" {
		return errEmpty
	}
	if *v != "" {
		s = string(*v) + "," + s
	}
	*v = listValue(s)
	return nil
}

// DurationVar defines a flag that [ParseDuration] parses.
func DurationVar(set *pflag.FlagSet, p *time.Duration, name, shorthand string, usage string) {
	set.VarP((*durationValue)(p), name, shorthand, usage)
}

type durationValue time.Duration

func (v *durationValue) Type() string { return "duration" }

func (v *durationValue) String() string {
	if *v == 0 {
		return ""
	}
	return time.Duration(*v).String()
}

func (v *durationValue) Set(s string) error {
	d, err := ParseDuration(s)
	if err == nil {
		*v = durationValue(d)
	}
	return err
}

// PositiveDurationVar is like [DurationVar] but refuses 0.
func PositiveDurationVar(set *pflag.FlagSet, p *time.Duration, name, shorthand string, usage string) {
	set.VarP(positiveDuration{(*durationValue)(p)}, name, shorthand, usage)
}

type positiveDuration struct{ *durationValue }

func (v positiveDuration) Set(s string) error {
	if d, err := ParseDuration(s); err == nil && d == 0 {
		return errors.New("must be longer than 0")
	}
	return v.durationValue.Set(s)
}
