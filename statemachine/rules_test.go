package statemachine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A rule says what is wrong between the definition and the code: one line for each breach, none when they agree.
type rule func(contract) []string

var rules = map[string]rule{
	"every function has a folder, every task a function":  functionsExist,
	"every named error is a type, every type has a place": errorsAreTypes,
	"every task sends what its function takes":            payloadsFit,
	"every path leads somewhere":                          pathsLead,
	"a task outlives its function":                        timeoutsExceed,
	"every task is retried as AWS advises":                tasksAreRetried,
	"every failure is caught":                             failuresAreCaught,
	"an execution ends with its own error":                endsAreOwn,
	"a batch that fails stops nobody":                     mapsTolerate,
	"the choice knows every answer of plan":               choicesAreComplete,
}

func functionsExist(c contract) (wrong []string) {
	for key := range c.functions {
		if !slices.Contains(c.folders, key) {
			wrong = append(wrong, fmt.Sprintf("function %s of functions.yml has no lambdas/%s/main.go", key, key))
		}
	}
	for _, folder := range c.folders {
		if _, ok := c.functions[folder]; !ok {
			wrong = append(wrong, fmt.Sprintf("lambdas/%s is no function of functions.yml", folder))
		}
	}
	c.machine.each("Task", func(_ machine, name string, s state) {
		if resource := s.text("Resource"); resource != "arn:aws:states:::lambda:invoke" {
			wrong = append(wrong, fmt.Sprintf("%s: Resource %q is not arn:aws:states:::lambda:invoke", name, resource))
		}
		if _, ok := c.functions[s.function()]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: FunctionName %q is no function of functions.yml", name, s.function()))
		}
	})
	return wrong
}

// errorsAreTypes holds the names in Retry and Catch against shared/workflow/errors.go. README.md has to say of a type that
// the definition does not name whether it ends the campaign or no state meets it: otherwise nobody knows what is meant.
func errorsAreTypes(c contract) (wrong []string) {
	named := map[string]bool{}
	for _, level := range c.machine.levels() {
		for _, name := range level.names() {
			for _, e := range level.states[name].errors() {
				prefix, _, dotted := strings.Cut(e, ".")
				if dotted && slices.Contains([]string{"States", "Lambda", "Runtime", "Sandbox"}, prefix) {
					continue
				}
				named[e] = true
				if _, ok := c.source.receivers[e]; !ok {
					wrong = append(wrong, fmt.Sprintf("%s: error %s is no type of errors.go", name, e))
				}
			}
		}
	}
	for e, receiver := range c.source.receivers {
		if receiver != "pointer" {
			wrong = append(wrong, fmt.Sprintf("%s has no Error method on its pointer", e))
		}
		switch told := slices.Contains(slices.Concat(c.terminal, c.unmet), e); {
		case named[e] && told:
			wrong = append(wrong, fmt.Sprintf("README.md says that no state names %s, but the definition does", e))
		case !named[e] && !told:
			wrong = append(wrong, fmt.Sprintf("%s is not named in the definition, and README.md does not say why", e))
		}
	}
	for _, e := range slices.Concat(c.terminal, c.unmet) {
		if _, ok := c.source.receivers[e]; !ok {
			wrong = append(wrong, fmt.Sprintf("README.md names %s, which is no type of errors.go", e))
		}
	}
	c.machine.each("Task", func(_ machine, name string, s state) {
		for _, e := range c.unmet {
			if strings.Contains(c.code[s.function()], "workflow."+e) {
				wrong = append(wrong, fmt.Sprintf("%s: README.md says that no state meets %s, but lambdas/%s returns it", name, e, s.function()))
			}
		}
	})
	return wrong
}

func timeoutsExceed(c contract) (wrong []string) {
	c.machine.each("Task", func(_ machine, name string, s state) {
		if f := c.functions[s.function()]; f.Timeout == 0 || s.number("TimeoutSeconds") <= float64(f.Timeout) {
			wrong = append(wrong, fmt.Sprintf("%s: TimeoutSeconds %v is not above the %d s of function %s",
				name, s["TimeoutSeconds"], f.Timeout, s.function()))
		}
	})
	return wrong
}

// advised are the errors of Lambda itself that AWS says to retry:
// https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
var advised = []string{"Lambda.TooManyRequestsException", "Lambda.ClientExecutionTimeoutException",
	"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"}

// refused are the errors with which Invoke refuses an invocation that it may take later: no handler has run, so as
// many attempts as here do no harm. With full jitter up to MaxDelaySeconds, half of that passes between two of them
// on average.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
var refused = map[string]float64{
	"Lambda.TooManyRequestsException": 1000, "Lambda.EC2ThrottledException": 1000,
	"Lambda.ResourceNotReadyException": 60, "Lambda.ResourceConflictException": 60, "Lambda.EC2UnexpectedException": 60,
	"Lambda.ENILimitReachedException": 60, "Lambda.SubnetIPAddressLimitReachedException": 60,
}

// misconfigured are those that only a change of the deployment ends: a Retry would hide them for a while.
var misconfigured = []string{
	"Lambda.EC2AccessDeniedException", "Lambda.InvalidSubnetIDException", "Lambda.InvalidSecurityGroupIDException",
	"Lambda.KMSAccessDeniedException", "Lambda.KMSDisabledException", "Lambda.KMSInvalidStateException", "Lambda.KMSNotFoundException",
	"Lambda.InvalidRuntimeException", "Lambda.InvalidZipFileException", "Lambda.ResourceNotFoundException",
}

func tasksAreRetried(c contract) (wrong []string) {
	c.machine.each("Task", func(_ machine, name string, s state) {
		retriers := map[string]state{}
		for _, retrier := range s.objects("Retry") {
			for _, e := range retrier.texts("ErrorEquals") {
				retriers[e] = retrier
			}
		}
		for _, e := range slices.Concat(advised, sortedKeys(refused), []string{"DatabaseBusy", "Interrupted"}) {
			retrier, ok := retriers[e]
			switch strategy := retrier.text("JitterStrategy"); {
			case !ok:
				wrong = append(wrong, fmt.Sprintf("%s: no Retry for %s", name, e))
			case strategy != "FULL":
				wrong = append(wrong, fmt.Sprintf("%s: Retry of %s has JitterStrategy %q, want FULL", name, e, strategy))
			case retrier.number("MaxAttempts") < refused[e]:
				wrong = append(wrong, fmt.Sprintf("%s: Retry of %s has %v attempts, want %v", name, e, retrier["MaxAttempts"], refused[e]))
			}
		}
		for _, e := range misconfigured {
			if _, ok := retriers[e]; ok {
				wrong = append(wrong, fmt.Sprintf("%s: a Retry of %s hides that the deployment is wrong", name, e))
			}
		}
		for _, e := range slices.Concat(sortedKeys(retriers), misconfigured) {
			if strings.Contains(e, ".") && !strings.Contains(c.readme, "`"+e+"`") {
				wrong = append(wrong, fmt.Sprintf("README.md does not say what becomes of %s", e))
			}
		}
	})
	return wrong
}

// endsAreOwn: whatever the input and the error, an execution ends with an error of our own. A result can't be put
// into an input that is no object. Whether a Fail state may raise a name that begins with "States." is not
// documented.
func endsAreOwn(c contract) (wrong []string) {
	if first := c.machine.states[c.machine.startAt]; first.text("Type") != "Pass" || first.has("ResultPath") || len(first.object("Parameters")) == 0 {
		wrong = append(wrong, fmt.Sprintf("%s: the first state does not make an object of the input", c.machine.startAt))
	}
	c.machine.each("Fail", func(level machine, name string, fail state) {
		path := fail.text("ErrorPath")
		if path == "" {
			return
		}
		for _, from := range level.names() {
			if level.states[from].raises(name, path) {
				wrong = append(wrong, fmt.Sprintf("%s: it may get a name that begins with States. from %s", name, from))
			}
		}
	})
	return wrong
}

// raises tells whether the state may lead to the Fail state with an error of Step Functions' own at the path.
func (s state) raises(fail, path string) bool {
	for _, catcher := range s.objects("Catch") {
		reserved := func(e string) bool { return strings.HasPrefix(e, "States.") }
		if catcher.text("Next") == fail && slices.ContainsFunc(catcher.texts("ErrorEquals"), reserved) {
			return true
		}
	}
	sorted := false
	for _, choice := range s.objects("Choices") {
		if choice.text("Next") == fail && !sorted {
			return true
		}
		sorted = sorted || choice.text("Variable") == path && choice.text("StringMatches") == "States.*"
	}
	return s.text("Next") == fail || s.text("Default") == fail && !sorted
}

// failuresAreCaught exempts what runs inside a Map: a child that fails leaves its recipients to the next Plan.
func failuresAreCaught(c contract) (wrong []string) {
	for _, kind := range []string{"Task", "Map"} {
		c.machine.each(kind, func(level machine, name string, s state) {
			if !level.inMap && !s.catchesAll() {
				wrong = append(wrong, fmt.Sprintf("%s: the last Catch is not States.ALL alone", name))
			}
		})
	}
	return wrong
}

// mapsTolerate forbids a Retry on a Map, which would begin a new Map Run over all items.
func mapsTolerate(c contract) (wrong []string) {
	c.machine.each("Map", func(_ machine, name string, s state) {
		if s.has("Retry") {
			wrong = append(wrong, fmt.Sprintf("%s: a Retry on the Map would mail every batch again", name))
		}
		if s.number("ToleratedFailurePercentage") != 100 {
			wrong = append(wrong, fmt.Sprintf("%s: ToleratedFailurePercentage is %v, want 100", name, s["ToleratedFailurePercentage"]))
		}
		config := s.object("ItemProcessor").object("ProcessorConfig")
		if config.text("Mode") != "DISTRIBUTED" || config.text("ExecutionType") != "STANDARD" {
			wrong = append(wrong, fmt.Sprintf("%s: children are %s %s, want DISTRIBUTED STANDARD",
				name, config.text("Mode"), config.text("ExecutionType")))
		}
	})
	return wrong
}

// choicesAreComplete: one answer of Plan may be left to Default, and then Default is the state of that name.
func choicesAreComplete(c contract) (wrong []string) {
	answers, asked := c.source.constants["Next"], 0
	c.machine.each("Choice", func(_ machine, name string, s state) {
		left := slices.Clone(answers)
		compared := 0
		for _, choice := range s.objects("Choices") {
			if choice.text("Variable") != "$.plan.next" {
				continue
			}
			compared++
			value := choice.text("StringEquals")
			if !slices.Contains(answers, value) {
				wrong = append(wrong, fmt.Sprintf("%s: %q is no constant of workflow.Next", name, value))
			}
			left = slices.DeleteFunc(left, func(answer string) bool { return answer == value })
		}
		if compared == 0 {
			return
		}
		asked++
		if len(left) > 1 || len(left) == 1 && !strings.EqualFold(left[0], s.text("Default")) {
			wrong = append(wrong, fmt.Sprintf("%s: no choice for %s, and Default is %q", name, strings.Join(left, ", "), s.text("Default")))
		}
	})
	if asked != 1 {
		wrong = append(wrong, fmt.Sprintf("%d Choice states look at $.plan.next, want 1", asked))
	}
	return wrong
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
