package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// functions are ours; index replaces Go's, for which a missing key is an empty string instead of an error.
var functions = map[string]any{
	"upper":   strings.ToUpper,
	"lower":   strings.ToLower,
	"title":   title,
	"trim":    strings.TrimSpace,
	"default": fallback,
	"date":    date,
	"index":   index,
}

// builtins are the functions of text/template that stay. call and js are left out: there is nothing to call, and no mail
// client runs scripts.
var builtins = []string{
	"and", "eq", "ge", "gt", "html", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println", "slice", "urlquery",
}

// trialFunctions accept the sample values of a trial render, which are neither dates nor names of columns.
var trialFunctions = map[string]any{
	"date":  func(_, _ string) string { return "sample" },
	"index": func(_ map[string]string, _ string) string { return "sample" },
}

func functionNames() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(functions)), builtins...)))
}

// title writes the first letter of every word as a capital and the others small: "kim min-jun" is "Kim Min-Jun".
func title(s string) string { return cases.Title(language.Und).String(s) }

// fallback is the function default: value, or instead where value is blank. {{.name | default "friend"}}
func fallback(instead, value string) string {
	if strings.TrimSpace(value) == "" {
		return instead
	}
	return value
}

// date writes a date of the file in another layout, given as Go's reference date: {{date "2 January 2006" .ends}}. The
// value is YYYY-MM-DD, with or without a time of day, or RFC 3339; anything else is an error.
func date(layout, value string) (string, error) {
	value = strings.TrimSpace(value)
	for _, known := range []string{time.DateOnly, time.DateTime, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(known, value); err == nil {
			return t.Format(layout), nil
		}
	}
	return "", fmt.Errorf("%q is no date like 2026-03-01", value)
}

func index(fields map[string]string, name string) (string, error) {
	value, ok := fields[name]
	if !ok {
		return "", fmt.Errorf("no field %q", name)
	}
	return value, nil
}
