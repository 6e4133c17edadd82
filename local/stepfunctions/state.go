package stepfunctions

import (
	"slices"
	"strings"
	"time"
)

// state compiles one state. In a Map's ItemProcessor (top is false) a further Map is refused.
func (p *parser) state(at, name string, value any, top bool) *state {
	f := p.object(at, "a state", value)
	st := &state{name: name, kind: f.required("Type")}
	f.kind = "a " + st.kind + " state"
	f.take("Comment")
	p.queryLanguage(f)
	switch st.kind {
	case "Task":
		p.inputOutput(f, st)
		st.parameters, st.selector, st.resultPath = f.template("Parameters"), f.template("ResultSelector"), f.resultPath()
		p.errorHandling(f, st)
		p.task(f, st)
		p.transition(f, st)
	case "Pass":
		p.inputOutput(f, st)
		st.parameters, st.resultPath = f.template("Parameters"), f.resultPath()
		st.passResult, st.hasPassResult = f.take("Result")
		p.transition(f, st)
	case "Wait":
		p.inputOutput(f, st)
		p.wait(f, st)
		p.transition(f, st)
	case "Choice":
		p.inputOutput(f, st)
		p.choice(f, st)
	case "Succeed":
		p.inputOutput(f, st)
	case "Fail":
		p.fail(f, st)
	case "Map":
		if !top {
			p.refuse(at, "state type Map is not supported inside the ItemProcessor of a Map")
			return st
		}
		p.inputOutput(f, st)
		st.selector, st.resultPath = f.template("ResultSelector"), f.resultPath()
		p.errorHandling(f, st)
		p.distributedMap(f, st)
		p.transition(f, st)
	default:
		p.refuse(join(at, "Type"), "state type %s is not supported", st.kind)
		return st
	}
	f.done()
	return st
}

// inputOutput takes InputPath and OutputPath; null stands for an empty object.
func (p *parser) inputOutput(f *fields, st *state) {
	if value, ok := f.value["InputPath"]; ok && value == nil {
		f.take("InputPath")
		st.dropInput = true
	} else {
		st.inputPath = f.path("InputPath")
	}
	if value, ok := f.value["OutputPath"]; ok && value == nil {
		f.take("OutputPath")
		st.dropOutput = true
	} else {
		st.outputPath = f.path("OutputPath")
	}
}

// resultPath takes ResultPath; null drops the result.
func (f *fields) resultPath() *refPath {
	if value, ok := f.value["ResultPath"]; ok && value == nil {
		f.take("ResultPath")
		return nil
	}
	text, ok := f.text("ResultPath")
	if !ok {
		return &refPath{}
	}
	ref, err := compileRefPath(text)
	if err != nil {
		f.p.refuse(join(f.at, "ResultPath"), "%v", err)
	}
	return ref
}

// transition takes Next or End.
func (p *parser) transition(f *fields, st *state) {
	st.next, _ = f.text("Next")
	if value, ok := f.take("End"); ok {
		end, isBool := value.(bool)
		if !isBool {
			p.refuse(join(f.at, "End"), "must be true or false")
		}
		st.end = end
	}
	if (st.next != "") == st.end {
		p.refuse(f.at, "%s needs either Next or End", f.kind)
	}
}

// waitState holds one of the four ways to say how long.
type waitState struct {
	seconds   *numberField
	timestamp time.Time
	path      *path
}

func (p *parser) wait(f *fields, st *state) {
	st.wait = &waitState{}
	ways := 0
	for _, key := range []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath"} {
		if f.has(key) {
			ways++
		}
	}
	if ways != 1 {
		p.refuse(f.at, "a Wait state needs one of Seconds, SecondsPath, Timestamp and TimestampPath")
	}
	if f.has("Seconds") || f.has("SecondsPath") {
		seconds := f.number("Seconds", 0, maxWaitSeconds, 0)
		st.wait.seconds = &seconds
	}
	if text, ok := f.text("Timestamp"); ok {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			p.refuse(join(f.at, "Timestamp"), "%q is no RFC 3339 timestamp", text)
		}
		st.wait.timestamp = at
	}
	st.wait.path = f.path("TimestampPath")
}

// failState holds Error and Cause, each fixed or from the input.
type failState struct {
	name, cause         string
	namePath, causePath expression
}

func (p *parser) fail(f *fields, st *state) {
	st.fail = &failState{}
	f.exclusive("Error", "ErrorPath")
	f.exclusive("Cause", "CausePath")
	st.fail.name, _ = f.text("Error")
	st.fail.cause, _ = f.text("Cause")
	st.fail.namePath = p.failText(f, "ErrorPath")
	st.fail.causePath = p.failText(f, "CausePath")
	if strings.HasPrefix(st.fail.name, reserved) {
		p.refuse(join(f.at, "Error"), "a Fail state with a name of Step Functions' own, %s, is not supported",
			st.fail.name)
	}
}

// failFunctions are the intrinsic functions that ErrorPath and CausePath may call.
// Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html
var failFunctions = []string{
	"States.Format", "States.JsonToString", "States.ArrayGetItem", "States.Base64Encode", "States.Base64Decode",
	"States.Hash", "States.UUID",
}

// failText takes an optional path, or an intrinsic function that gives a string.
func (p *parser) failText(f *fields, key string) expression {
	text, ok := f.text(key)
	if !ok {
		return nil
	}
	expr, err := compileExpression(text)
	if err != nil {
		p.refuse(join(f.at, key), "%v", err)
		return nil
	}
	if call, ok := expr.(*intrinsic); ok && !slices.Contains(failFunctions, call.name) {
		p.refuse(join(f.at, key), "%s is not one of the intrinsic functions of a Fail state", call.name)
	}
	return expr
}
