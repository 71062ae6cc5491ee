package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Flags are the flags of a command, grouped as in --help.
type Flags struct {
	*pflag.FlagSet // all flags, after Parse

	synopsis       string
	footer         string
	commandFollows bool
	groups         []flagGroup
}

type flagGroup struct {
	title string
	set   *pflag.FlagSet
}

// NewFlags returns flags without any flag. The synopsis follows "usage: "; the
// footer ends the help, usually with examples. If commandFollows is set, flags end
// at the first operand, which starts a command line.
func NewFlags(name, synopsis, footer string, commandFollows bool) *Flags {
	f := &Flags{FlagSet: newSet(name), synopsis: synopsis, footer: footer, commandFollows: commandFollows}
	f.SetInterspersed(!commandFollows)
	return f
}

func newSet(name string) *pflag.FlagSet {
	set := pflag.NewFlagSet(name, pflag.ContinueOnError)
	set.SortFlags = false
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	return set
}

// Group adds a group of flags with a title. Define the flags on the returned set.
func (f *Flags) Group(title string) *pflag.FlagSet {
	set := newSet(title)
	f.groups = append(f.groups, flagGroup{title, set})
	return set
}

// Parse parses the arguments. If done is true, the command must exit with code:
// Parse printed the help, the version, or an error. A flag with an optional value
// takes it attached, as in perf: -z3, -z=3, --call-graph=fp.
func (f *Flags) Parse(env Env) (done bool, code int) {
	general := f.Group("General")
	help := general.BoolP("help", "h", false, "print this help")
	version := general.Bool("version", false, "print the version")
	for _, g := range f.groups {
		f.AddFlagSet(g.set)
	}
	err := f.FlagSet.Parse(f.attachOptional(env.Args))
	switch {
	case err != nil:
		return true, env.Usage(inFlag(err))
	case *help:
		if _, err := io.WriteString(env.Stdout, f.help(env.Columns)); err != nil {
			return true, env.Fail(ExitOutput, err)
		}
		return true, ExitOK
	case *version:
		if _, err := fmt.Fprintf(env.Stdout, "%s (trapline) %s\n", env.Name, Version()); err != nil {
			return true, env.Fail(ExitOutput, err)
		}
		return true, ExitOK
	}
	return false, ExitOK
}

// inFlag rewords an error of pflag like other errors in the command line: the flag, its
// value, and what is wrong.
func inFlag(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return errors.New(lowerFirst(err.Error()))
	}
	value := invalid.GetValue()
	if value == "" || strings.ContainsAny(value, " \t\n") {
		value = strconv.Quote(value)
	}
	return fmt.Errorf("%s %s: %w", FlagName(invalid.GetFlag()), value, errors.Unwrap(err))
}

// FlagName returns the shortest spelling of a flag.
func FlagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand
	}
	return "--" + f.Name
}

func (f *Flags) help(columns int) string {
	if columns == 0 || columns > 120 {
		columns = 100
	}
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s\n", f.synopsis)
	for _, g := range f.groups {
		fmt.Fprintf(&b, "\n%s:\n%s", g.title, forHelp(g.set).FlagUsagesWrapped(columns))
	}
	if f.footer != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.Trim(f.footer, "\n"))
	}
	return b.String()
}

// forHelp returns a copy of the set with plain type names: pflag prints
// --all[=true|false], --verbose count and --event stringArray.
func forHelp(set *pflag.FlagSet) *pflag.FlagSet {
	shown := newSet("")
	set.VisitAll(func(flag *pflag.Flag) {
		f := *flag
		switch flag.Value.Type() {
		case "bool":
			f.Value = listed{flag.Value, "bool"}
		case "count":
			f.Value, f.NoOptDefVal = listed{flag.Value, "bool"}, ""
		case "stringArray":
			f.Value, f.DefValue = listed{flag.Value, "string"}, strings.Trim(f.DefValue, "[]")
		}
		shown.AddFlag(&f)
	})
	return shown
}

// A listed value has another type name in the help.
type listed struct {
	pflag.Value
	typ string
}

func (v listed) Type() string { return v.typ }

// attachOptional rewrites -z3 as -z=3. pflag accepts an optional value only after
// an equals sign and would take the 3 for another flag.
func (f *Flags) attachOptional(args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(out, args[i:]...)
		case strings.HasPrefix(arg, "--"):
			out = append(out, arg)
			name, _, hasValue := strings.Cut(arg[2:], "=")
			if flag := f.Lookup(name); flag != nil && !hasValue && flag.NoOptDefVal == "" && i+1 < len(args) {
				i++
				out = append(out, args[i])
			}
		case len(arg) > 1 && arg[0] == '-':
			rewritten, takesNext := f.attachShort(arg)
			out = append(out, rewritten)
			if takesNext && i+1 < len(args) {
				i++
				out = append(out, args[i])
			}
		default:
			out = append(out, arg)
			if f.commandFollows {
				return append(out, args[i+1:]...)
			}
		}
	}
	return out
}

// attachShort rewrites one cluster of letters. takesNext reports whether the last
// letter takes the next argument as its value.
func (f *Flags) attachShort(arg string) (rewritten string, takesNext bool) {
	for i := 1; i < len(arg); i++ {
		flag := f.ShorthandLookup(arg[i : i+1])
		rest := arg[i+1:]
		switch {
		case flag == nil || strings.HasPrefix(rest, "="):
			return arg, false
		case flag.NoOptDefVal == "":
			return arg, rest == ""
		case flag.Value.Type() != "bool" && flag.Value.Type() != "count" && rest != "":
			return arg[:i+1] + "=" + rest, false
		}
	}
	return arg, false
}

func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}
