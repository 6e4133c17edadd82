package statemachine

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// state is a state of the definition as JSON: the rules ask for its fields by their names in the States Language.
type state map[string]any

func (s state) text(key string) string    { v, _ := s[key].(string); return v }
func (s state) object(key string) state   { v, _ := s[key].(map[string]any); return v }
func (s state) number(key string) float64 { v, _ := s[key].(float64); return v }
func (s state) has(key string) bool       { _, ok := s[key]; return ok }
func (s state) objects(key string) (l []state) {
	items, _ := s[key].([]any)
	for _, item := range items {
		o, _ := item.(map[string]any)
		l = append(l, o)
	}
	return l
}

func (s state) texts(key string) (l []string) {
	items, _ := s[key].([]any)
	for _, item := range items {
		v, _ := item.(string)
		l = append(l, v)
	}
	return l
}

// function is the key of the function that a Task invokes, "" if it is not written as {"Fn::GetAtt": [key, "Arn"]}.
func (s state) function() string {
	attribute := s.object("Parameters").object("FunctionName").texts("Fn::GetAtt")
	if len(attribute) != 2 || attribute[1] != "Arn" {
		return ""
	}
	return attribute[0]
}

// errors are the names of all ErrorEquals of the state's Retry and Catch blocks.
func (s state) errors() (names []string) {
	for _, block := range slices.Concat(s.objects("Retry"), s.objects("Catch")) {
		names = append(names, block.texts("ErrorEquals")...)
	}
	return names
}

// catchesAll tells whether whatever fails in the state goes on to a state that deals with it.
func (s state) catchesAll() bool {
	catchers := s.objects("Catch")
	return len(catchers) > 0 && slices.Equal(catchers[len(catchers)-1].texts("ErrorEquals"), []string{"States.ALL"})
}

// machine is the definition, or the part of it inside a Map.
type machine struct {
	startAt string
	states  map[string]state
	inMap   bool
}

func parseMachine(definition []byte) (machine, error) {
	var raw map[string]any
	if err := json.Unmarshal(definition, &raw); err != nil {
		return machine{}, err
	}
	return newMachine(raw, false), nil
}

func newMachine(raw state, inMap bool) machine {
	m := machine{startAt: raw.text("StartAt"), states: map[string]state{}, inMap: inMap}
	for name := range raw.object("States") {
		m.states[name] = raw.object("States").object(name)
	}
	return m
}

func (m machine) names() []string { return slices.Sorted(maps.Keys(m.states)) }

// levels are the machine itself and the machines inside its Maps.
func (m machine) levels() []machine {
	all := []machine{m}
	for _, name := range m.names() {
		if processor := m.states[name].object("ItemProcessor"); processor != nil {
			all = append(all, newMachine(processor, true).levels()...)
		}
	}
	return all
}

// each calls f for every state of a type, on every level.
func (m machine) each(kind string, f func(level machine, name string, s state)) {
	for _, level := range m.levels() {
		for _, name := range level.names() {
			if s := level.states[name]; s.text("Type") == kind {
				f(level, name, s)
			}
		}
	}
}

// inIntrinsic is a path among the arguments of an intrinsic function.
var inIntrinsic = regexp.MustCompile(`\$(\.\w+)+`)

// paths are the reference paths into the state's own data that the state reads, as AWS resolves them: not those of a
// ResultSelector, which reads the result, nor those of the machine inside a Map, nor a Task's OutputPath.
func (s state) paths() (paths []string) {
	for _, key := range slices.Sorted(maps.Keys(s)) {
		switch {
		case key == "ResultSelector", key == "ItemProcessor", key == "ResultPath", key == "Catch":
		case key == "OutputPath" && s.text("Type") == "Task":
		case key == "Variable", strings.HasSuffix(key, "Path"), strings.HasSuffix(key, ".$"):
			path := s.text(key)
			if strings.HasPrefix(path, "$.") {
				paths = append(paths, path)
			}
			if strings.HasPrefix(path, "States.") {
				paths = append(paths, inIntrinsic.FindAllString(path, -1)...)
			}
		default:
			paths = append(paths, s.object(key).paths()...)
			for _, o := range s.objects(key) {
				paths = append(paths, o.paths()...)
			}
		}
	}
	return paths
}
