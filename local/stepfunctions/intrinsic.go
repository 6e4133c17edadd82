package stepfunctions

import (
	"fmt"
	"strings"
)

// intrinsic is a call such as States.Format('{} of {}', $.a, States.MathAdd($.b, 1)).
type intrinsic struct {
	name string
	fn   intrinsicFunction
	args []expression
}

func (c *intrinsic) eval(s *scope) (any, *failure) {
	values := make([]any, len(c.args))
	for i, arg := range c.args {
		value, f := arg.eval(s)
		if f != nil {
			return nil, f
		}
		values[i] = value
	}
	value, err := c.fn.call(values)
	if err != nil {
		return nil, failf(errIntrinsicFailure, "The function '%s' had the following error: %v", c.name, err)
	}
	return value, nil
}

// constant is a literal argument of an intrinsic function.
type constant struct{ value any }

func (c constant) eval(*scope) (any, *failure) { return c.value, nil }

func compileIntrinsic(text string) (expression, error) {
	p := &intrinsicParser{text: text}
	expr, err := p.call()
	if err == nil && strings.TrimSpace(p.text[p.at:]) != "" {
		err = fmt.Errorf("unexpected %q after the call", p.text[p.at:])
	}
	if err != nil {
		return nil, fmt.Errorf("intrinsic function %q: %w", text, err)
	}
	return expr, nil
}

type intrinsicParser struct {
	text string
	at   int
}

func (p *intrinsicParser) spaces() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *intrinsicParser) call() (expression, error) {
	open := strings.IndexByte(p.text[p.at:], '(')
	if open < 0 {
		return nil, fmt.Errorf("want $..., or a function call States.Name(...)")
	}
	name := strings.TrimSpace(p.text[p.at : p.at+open])
	fn, ok := intrinsics[name]
	if !ok {
		return nil, fmt.Errorf("intrinsic function %s is not supported", name)
	}
	p.at += open + 1
	c := &intrinsic{name: name, fn: fn}
	for {
		p.spaces()
		if p.at < len(p.text) && p.text[p.at] == ')' && len(c.args) == 0 {
			break
		}
		arg, err := p.argument()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, arg)
		p.spaces()
		if p.at < len(p.text) && p.text[p.at] == ',' {
			p.at++
			continue
		}
		if p.at < len(p.text) && p.text[p.at] == ')' {
			break
		}
		return nil, fmt.Errorf("want , or ) at %q", p.text[p.at:])
	}
	p.at++
	if len(c.args) < fn.min || fn.max >= 0 && len(c.args) > fn.max {
		return nil, fmt.Errorf("%s does not take %d arguments", name, len(c.args))
	}
	return c, nil
}

func (p *intrinsicParser) argument() (expression, error) {
	rest := p.text[p.at:]
	switch {
	case rest == "":
		return nil, fmt.Errorf("the call is not closed")
	case rest[0] == '\'':
		return p.quoted()
	case rest[0] == '$':
		end := pathEnd(rest)
		p.at += end
		return compilePath(strings.TrimSpace(rest[:end]))
	case strings.HasPrefix(rest, "States."):
		return p.call()
	}
	end := strings.IndexAny(rest, ",)")
	if end < 0 {
		end = len(rest)
	}
	value, err := decode([]byte(rest[:end]))
	if err != nil {
		return nil, fmt.Errorf("argument %q is no string, number, true, false, null, path or call", rest[:end])
	}
	p.at += end
	return constant{value}, nil
}

// quoted reads a string in single quotes, in which \' \\ \{ and \} stand for themselves. The backslash of a brace is
// kept: States.Format needs it.
func (p *intrinsicParser) quoted() (expression, error) {
	var out strings.Builder
	for i := p.at + 1; i < len(p.text); i++ {
		switch c := p.text[i]; c {
		case '\'':
			p.at = i + 1
			return constant{out.String()}, nil
		case '\\':
			i++
			if i < len(p.text) && p.text[i] != '\'' && p.text[i] != '\\' {
				out.WriteByte('\\')
			}
			if i < len(p.text) {
				out.WriteByte(p.text[i])
			}
		default:
			out.WriteByte(c)
		}
	}
	return nil, fmt.Errorf("the string is not closed")
}

// pathEnd is the length of the path at the start of text: up to a comma or a closing parenthesis of the call, not one in
// brackets, in a filter or in a quoted name.
func pathEnd(text string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '\'' || c == '"') && depth > 0:
			quote = c
		case c == '[' || c == '(':
			depth++
		case c == ']' || c == ')' && depth > 0:
			depth--
		case depth == 0 && (c == ',' || c == ')'):
			return i
		}
	}
	return len(text)
}
