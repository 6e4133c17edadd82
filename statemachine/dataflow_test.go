package statemachine

import (
	"fmt"
	"maps"
	"strings"
)

// payloadsFit holds the payload of every Task against the fields that its handler reads, and its ResultSelector against
// those that the handler answers with.
func payloadsFit(c contract) (wrong []string) {
	for _, level := range c.machine.levels() {
		whole := c.wholeData(level)
		for _, name := range level.names() {
			s := level.states[name]
			if s.text("Type") != "Task" {
				continue
			}
			handler, ok := c.handlers[s.function()]
			if !ok {
				wrong = append(wrong, fmt.Sprintf("%s: lambdas/%s has no handler that takes and gives types of shared/workflow", name, s.function()))
				continue
			}
			payload := s.object("Parameters").object("Payload")
			if s.object("Parameters").text("Payload.$") == "$" && level.inMap {
				payload = whole
			}
			wrong = append(wrong, compareKeys(name, payload, handler.input, c.source.structs[handler.input])...)
			for key, path := range s.object("ResultSelector") {
				field, ok := strings.CutPrefix(fmt.Sprint(path), "$.Payload.")
				if _, known := c.source.structs[handler.output][field]; !ok || !known {
					wrong = append(wrong, fmt.Sprintf("%s: ResultSelector %s: %v is no field of %s", name, key, path, handler.output))
				}
			}
		}
	}
	return wrong
}

// wholeData has every key that the data of a child execution can have at some time. A state that is entered again passes on
// what the states after it have added, and a handler refuses what it does not know.
func (c contract) wholeData(level machine) state {
	whole := state{}
	maps.Copy(whole, c.itemSelector(level))
	for _, s := range level.states {
		if key, ok := strings.CutPrefix(s.text("ResultPath"), "$."); ok {
			whole[key] = nil
		}
	}
	return whole
}

func compareKeys(name string, payload state, input string, fields map[string]string) (wrong []string) {
	passed := map[string]bool{}
	for key := range payload {
		key = strings.TrimSuffix(key, ".$")
		passed[key] = true
		if _, ok := fields[key]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: passes %s, which %s does not read", name, key, input))
		}
	}
	for key := range fields {
		if !passed[key] {
			wrong = append(wrong, fmt.Sprintf("%s: does not pass %s, which %s reads", name, key, input))
		}
	}
	return wrong
}

// itemSelector is the selector of the Map that a level is inside of.
func (c contract) itemSelector(inner machine) (selector state) {
	c.machine.each("Map", func(_ machine, _ string, s state) {
		if s.object("ItemProcessor").text("StartAt") == inner.startAt {
			selector = s.object("ItemSelector")
		}
	})
	return selector
}

// pathsLead follows the data through the machine, and reports every path that leads nowhere on some way to its state: a
// failed Prepare, for example, hands on no more than $.error.
func pathsLead(c contract) (wrong []string) {
	for _, level := range c.machine.levels() {
		known := c.flow(level)
		for _, name := range level.names() {
			data, reached := known[name]
			if !reached {
				wrong = append(wrong, fmt.Sprintf("%s: no way leads to this state", name))
				continue
			}
			for _, path := range level.states[name].paths() {
				if !data.leads(path) {
					wrong = append(wrong, fmt.Sprintf("%s: %s leads nowhere: the state has %s", name, path, strings.Join(sortedKeys(data), ", ")))
				}
			}
		}
	}
	return wrong
}

func (s shape) leads(path string) bool {
	for _, key := range strings.Split(strings.TrimPrefix(path, "$."), ".") {
		inner, ok := s[key]
		if !ok {
			return false
		}
		s = inner
	}
	return true
}

// flow gives the data that every state of a level has for certain when it begins, on whatever way it is reached.
func (c contract) flow(level machine) map[string]shape {
	known := map[string]shape{level.startAt: {}}
	if level.inMap {
		for key := range c.itemSelector(level) {
			known[level.startAt][strings.TrimSuffix(key, ".$")] = nil
		}
		handler := c.handlers[level.states[level.startAt].function()]
		maps.Copy(known[level.startAt], intersect(c.source.shapeOf(handler.input), known[level.startAt]))
	}
	for changed := true; changed; {
		changed = false
		for _, name := range level.names() {
			data, reached := known[name]
			if !reached {
				continue
			}
			for next, handed := range c.hands(level.states[name], data) {
				before, seen := known[next]
				after := handed
				if seen {
					after = intersect(before, handed)
				}
				if !seen || len(after) < len(before) {
					known[next], changed = after, true
				}
			}
		}
	}
	return known
}

// hands gives the data that a state hands to each state after it.
func (c contract) hands(s state, data shape) map[string]shape {
	out := map[string]shape{}
	add := func(next string, handed shape) {
		if next == "" {
			return
		}
		if before, ok := out[next]; ok {
			handed = intersect(before, handed)
		}
		out[next] = handed
	}
	for _, choice := range s.objects("Choices") {
		add(choice.text("Next"), data)
	}
	add(s.text("Default"), data)
	for _, catcher := range s.objects("Catch") {
		add(catcher.text("Next"), data.with(catcher.text("ResultPath"), c.source.shapeOf("StateError")))
	}
	answer := c.source.shapeOf(c.handlers[s.function()].output)
	if selector := s.object("ResultSelector"); selector != nil {
		selected := shape{}
		for key, path := range selector {
			selected[strings.TrimSuffix(key, ".$")] = answer[strings.TrimPrefix(fmt.Sprint(path), "$.Payload.")]
		}
		answer = selected
	}
	switch {
	case s.text("Type") == "Pass" && s.has("Parameters") && !s.has("ResultPath"):
		made := shape{}
		for key := range s.object("Parameters") {
			made[strings.TrimSuffix(key, ".$")] = nil
		}
		add(s.text("Next"), made)
	case s.text("Type") == "Task" && s.text("OutputPath") == "$.Payload":
		add(s.text("Next"), answer)
	default:
		add(s.text("Next"), data.with(s.text("ResultPath"), answer))
	}
	return out
}

// with is the data after a ResultPath like $.plan has put a value into it; without a ResultPath nothing changes.
func (s shape) with(path string, value shape) shape {
	key, ok := strings.CutPrefix(path, "$.")
	if !ok {
		return s
	}
	out := shape{key: value}
	for other := range s {
		if other != key {
			out[other] = s[other]
		}
	}
	return out
}

// intersect keeps the keys of a that b has too.
func intersect(a, b shape) shape {
	out := shape{}
	for key := range a {
		if _, ok := b[key]; ok {
			out[key] = a[key]
		}
	}
	return out
}
