package serverless

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A rule says what is wrong with a variant of the template: one line for each breach, none when all is well.
type rule func(variant) []string

var rules = map[string]rule{
	"every reference leads to a resource":                     referencesLead,
	"the state machine is that of campaign.asl.json":          definitionIsDeployed,
	"the state machine is logged and traced":                  machineIsObserved,
	"a function is deployed as functions.yml has it":          functionsAreDeployed,
	"a function has the variables that it reads, and no more": variablesAreRead,
	"a function may do what it calls, and no more":            actionsAreCalled,
	"a function may do it where it does it, and nowhere else": resourcesAreNamed,
	"the reserved concurrencies are the bound":                concurrencyIsTheBound,
	"every event source is mapped as the local one":           sourcesAreMapped,
	"every queue is the local one":                            queuesAgree,
	"what SES says of a message finds its way to a queue":     eventsArrive,
	"the functions reach what they call":                      networkReaches,
	"the CLI finds all that it needs":                         outputsAreKnown,
	"who watches hears of what goes wrong":                    alarmsRing,
	"the dashboard shows every metric":                        dashboardShows,
	"the ledger learns of an execution that ended early":      interruptionsArrive,
	"a schedule may start a campaign, and nothing else":       schedulesStart,
	"lists and reports are safe":                              bucketIsSafe,
	"two stages, or one in two Regions, share no name":        namesAreOneStages,
}

func TestTemplatesFollowTheRules(t *testing.T) {
	variants, _ := readVariants(t)
	for _, v := range variants {
		for _, name := range sortedKeys(rules) {
			for _, breach := range rules[name](v) {
				t.Errorf("%s: %s: %s", v.name, name, breach)
			}
		}
	}
}

// findings collects what is wrong.
type findings []string

func (f *findings) check(ok bool, format string, values ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, values...))
	}
}

// equal reports what is in only one of two lists, in any order.
func (f *findings) equal(got, want []string, format string, values ...any) {
	got, want = unique(got), unique(want)
	f.check(slices.Equal(got, want), "%s: %v, want %v", fmt.Sprintf(format, values...), got, want)
}

func unique(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// inSub is a reference in the text of an Fn::Sub.
var inSub = regexp.MustCompile(`\$\{([A-Za-z0-9]+)[^}]*\}`)

func referencesLead(v variant) (wrong []string) {
	for name, r := range v.Resources {
		for _, target := range append(references(map[string]any(r.Properties)), r.DependsOn...) {
			if _, ok := v.Resources[target]; !ok && !strings.HasPrefix(target, "AWS") {
				wrong = append(wrong, fmt.Sprintf("%s refers to %s, which is no resource", name, target))
			}
		}
	}
	return wrong
}

// references are the names that a value of a template refers to.
func references(value any) (names []string) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			names = append(names, references(item)...)
		}
	case map[string]any:
		if name := object(v).text("Ref"); name != "" {
			return []string{name}
		}
		if attribute := object(v).texts("Fn::GetAtt"); len(attribute) == 2 {
			return attribute[:1]
		}
		text, own := object(v).text("Fn::Sub"), map[string]any{}
		if parts, ok := v["Fn::Sub"].([]any); ok && len(parts) == 2 {
			text, _ = parts[0].(string)
			own, _ = parts[1].(map[string]any)
		}
		for _, match := range inSub.FindAllStringSubmatch(text, -1) {
			if _, ok := own[match[1]]; !ok {
				names = append(names, match[1])
			}
		}
		for _, item := range v {
			names = append(names, references(item)...)
		}
	}
	return names
}

// only is the one statement of a policy; an empty one if there are more, or if it does not allow anything.
func only(policy object) object {
	if statements := policy.object("PolicyDocument").objects("Statement"); len(statements) == 1 &&
		statements[0].text("Effect") == "Allow" {
		return statements[0]
	}
	return object{}
}

// attributeOf is the resource whose ARN a value is, "" if it is none.
func attributeOf(value any) string {
	m, _ := value.(map[string]any)
	if attribute := object(m).texts("Fn::GetAtt"); len(attribute) == 2 && attribute[1] == "Arn" {
		return attribute[0]
	}
	return ""
}
