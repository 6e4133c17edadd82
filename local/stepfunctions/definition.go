package stepfunctions

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// program is a compiled definition, or the ItemProcessor of a Map.
type program struct {
	startAt string
	states  map[string]*state
	// timeout bounds the whole execution; 0 is no bound.
	timeout time.Duration
	// source is the JSON that DescribeStateMachine shows.
	source string
}

// state is one compiled state. Exactly one of the pointers at its end is set, but for Pass and Succeed.
type state struct {
	name, kind string
	next       string
	end        bool

	inputPath, outputPath *path
	dropInput, dropOutput bool
	parameters, selector  *template
	resultPath            *refPath
	retriers              []retrier
	catchers              []catcher
	task                  *taskState
	choice                *choiceState
	wait                  *waitState
	fail                  *failState
	dmap                  *mapState
	passResult            any
	hasPassResult         bool
}

// parseDefinition compiles a definition. functions resolves {"Fn::GetAtt": [key, "Arn"]} to an ARN. The error holds one
// line for each problem.
func parseDefinition(source []byte, functions map[string]string) (*program, error) {
	if len(source) > maxDefinitionBytes {
		return nil, fmt.Errorf("$: the definition has %d bytes, more than the %d that Step Functions takes", len(source), maxDefinitionBytes)
	}
	value, err := decode(source)
	if err != nil {
		return nil, fmt.Errorf("$: the definition is no JSON: %w", err)
	}
	p := &parser{}
	value = p.resolve("$", value, functions)
	f := p.object("$", "a state machine", value)
	f.take("Comment")
	f.take("Version")
	p.queryLanguage(f)
	timeout := f.whole("TimeoutSeconds", 1, maxWaitSeconds, 0)
	prog := p.program(f, true)
	prog.timeout = time.Duration(timeout) * time.Second
	// What is shown is the definition with the ARNs in it, as after a deployment.
	prog.source = encode(value)
	return prog, p.err()
}

// resolve replaces {"Fn::GetAtt": [key, "Arn"]} by the function's ARN, as the deployment does.
func (p *parser) resolve(at string, value any, functions map[string]string) any {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			if key == "Ref" || strings.HasPrefix(key, "Fn::") {
				return p.function(at, v, functions)
			}
			v[key] = p.resolve(join(at, key), item, functions)
		}
	case []any:
		for i, item := range v {
			v[i] = p.resolve(joinIndex(at, i), item, functions)
		}
	}
	return value
}

func (p *parser) function(at string, object map[string]any, functions map[string]string) any {
	args, ok := object["Fn::GetAtt"].([]any)
	if ok && len(object) == 1 && len(args) == 2 && args[1] == "Arn" {
		key, _ := args[0].(string)
		if arn, known := functions[key]; known {
			return arn
		}
		p.refuse(join(at, "Fn::GetAtt"), "there is no function %q", key)
		return ""
	}
	for key := range object {
		p.refuse(join(at, key), `%s is not supported here; only {"Fn::GetAtt": [function, "Arn"]} is`, key)
	}
	return ""
}

func (p *parser) queryLanguage(f *fields) {
	if language, ok := f.text("QueryLanguage"); ok && language != "JSONPath" {
		p.refuse(join(f.at, "QueryLanguage"), "query language %s is not supported; only JSONPath is", language)
	}
}

// program compiles StartAt and States, and refuses whatever else f still holds.
func (p *parser) program(f *fields, top bool) *program {
	prog := &program{startAt: f.required("StartAt"), states: map[string]*state{}}
	value, ok := f.take("States")
	if !ok {
		p.refuse(f.at, "%s needs the field States", f.kind)
	}
	f.done()
	states, _ := value.(map[string]any)
	at := join(f.at, "States")
	if ok && len(states) == 0 {
		p.refuse(at, "must be an object with at least one state")
	}
	for name, definition := range states {
		where := join(at, name)
		if utf8.RuneCountInString(name) > maxNameCharacters {
			p.refuse(where, "the name of a state has at most %d characters", maxNameCharacters)
		}
		prog.states[name] = p.state(where, name, definition, top)
	}
	if _, ok := prog.states[prog.startAt]; !ok && prog.startAt != "" {
		p.refuse(join(f.at, "StartAt"), "there is no state %q", prog.startAt)
	}
	for name, st := range prog.states {
		for where, target := range st.targets() {
			if _, ok := prog.states[target]; !ok {
				p.refuse(join(at, name)+where, "there is no state %q", target)
			}
		}
	}
	return prog
}

// targets are the states that a state points to, by the place in the state where it does.
func (st *state) targets() map[string]string {
	out := map[string]string{}
	if st.next != "" {
		out[".Next"] = st.next
	}
	for i, c := range st.catchers {
		out[fmt.Sprintf(".Catch[%d].Next", i)] = c.next
	}
	if st.choice != nil {
		for i, r := range st.choice.rules {
			out[fmt.Sprintf(".Choices[%d].Next", i)] = r.next
		}
		if st.choice.fallback != "" {
			out[".Default"] = st.choice.fallback
		}
	}
	return out
}
