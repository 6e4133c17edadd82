package stepfunctions

import (
	"context"
	"regexp"

	"github.com/google/uuid"
)

// mapState is a Map with a DISTRIBUTED processor of STANDARD executions.
type mapState struct {
	label       string
	processor   *program
	reader      *itemReader
	itemsPath   *path
	selector    *template
	concurrency numberField
	tolerated   numberField
	percentage  percentField
	writer      *template
}

// percentField is ToleratedFailurePercentage, 0 to 100, fixed or from the input. set tells whether it stands there.
type percentField struct {
	fixed float64
	path  *path
	set   bool
}

var goodLabel = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (p *parser) distributedMap(f *fields, st *state) {
	m := &mapState{}
	st.dmap = m
	label, labelled := f.text("Label")
	switch {
	case !labelled:
		m.label = uuid.NewString()
	case len(label) > maxLabelCharacters || !goodLabel.MatchString(label):
		p.refuse(join(f.at, "Label"), "must be at most %d letters, digits, _ and -", maxLabelCharacters)
	default:
		m.label = label
	}
	m.concurrency = f.number("MaxConcurrency", 0, maxWaitSeconds, 0)
	m.tolerated = f.number("ToleratedFailureCount", 0, maxWaitSeconds, -1)
	m.percentage = p.percent(f)
	m.itemsPath = f.path("ItemsPath")
	m.selector = f.template("ItemSelector")
	f.exclusive("ItemReader", "ItemsPath")
	if value, ok := f.take("ItemReader"); ok {
		m.reader = p.itemReader(join(f.at, "ItemReader"), value)
	}
	if value, ok := f.take("ResultWriter"); ok {
		m.writer = p.resultWriter(join(f.at, "ResultWriter"), value)
	}
	value, ok := f.take("ItemProcessor")
	if !ok {
		p.refuse(f.at, "a Map state needs ItemProcessor")
		return
	}
	at := join(f.at, "ItemProcessor")
	processor := p.object(at, "an ItemProcessor", value)
	processor.take("Comment")
	p.queryLanguage(processor)
	config, _ := processor.take("ProcessorConfig")
	c := p.object(join(at, "ProcessorConfig"), "a ProcessorConfig", config)
	if mode, ok := c.text("Mode"); mode != "DISTRIBUTED" {
		if !ok {
			mode = "INLINE (the default)"
		}
		p.refuse(join(c.at, "Mode"), "mode %s of a Map is not supported; only DISTRIBUTED is", mode)
	}
	if kind := c.required("ExecutionType"); kind != "STANDARD" && kind != "" {
		p.refuse(join(c.at, "ExecutionType"), "execution type %s is not supported; only STANDARD is", kind)
	}
	c.done()
	m.processor = p.program(processor, false)
	m.processor.source = encode(value)
}

func (p *parser) percent(f *fields) percentField {
	const key = "ToleratedFailurePercentage"
	f.exclusive(key, key+"Path")
	out := percentField{path: f.path(key + "Path"), set: f.has(key) || f.has(key+"Path")}
	if value, ok := f.take(key); ok {
		percent, isNumber := number(value)
		if !isNumber || percent < 0 || percent > 100 {
			p.refuse(join(f.at, key), "must be a number from 0 to 100")
		}
		out.fixed = percent
	}
	return out
}

func (n percentField) of(s *scope) (float64, *failure) {
	if n.path == nil {
		return n.fixed, nil
	}
	value, ok := n.path.get(s)
	percent, isNumber := number(value)
	if !ok || !isNumber || percent < 0 || percent > 100 {
		return 0, failf(errRuntime, "The ToleratedFailurePercentagePath parameter '%s' must be a number from 0 to 100, but it is %s",
			n.path.text, encode(value))
	}
	return percent, nil
}

// runMap reads the items, runs a child for each and gives the Map's result: the children's outputs, or where the
// ResultWriter wrote them.
func (e *execution) runMap(ctx context.Context, v *visit, input any) (any, *failure) {
	run, f := newMapRun(e, v, input)
	if f != nil {
		return nil, f
	}
	length, f := run.gather(v.scope(input))
	if f != nil {
		return nil, f
	}
	e.add(event{kind: mapStateStarted, number: length})
	e.add(event{kind: mapRunStarted, name: run.arn()})
	if !e.service.openRun(run) {
		return nil, aborted
	}
	result, f := run.do(ctx)
	if f == aborted {
		return nil, f
	}
	e.mu.Lock()
	e.open = nil
	e.mu.Unlock()
	if f != nil {
		run.finish(failed)
		e.add(event{kind: mapRunFailed, failed: f})
		e.add(event{kind: mapStateFailed})
		return nil, f
	}
	run.finish(succeeded)
	id := e.add(event{kind: mapRunSucceeded})
	e.add(event{kind: mapStateSucceeded})
	// MapStateExited follows MapRunSucceeded, not MapStateSucceeded.
	e.follow(id)
	return result, nil
}
