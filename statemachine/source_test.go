package statemachine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// shape is a JSON object as the code reads or writes it: its keys, each with a shape of its own, nil for a plain value.
type shape map[string]shape

// source is what the contract needs to know of shared/workflow, read from its syntax tree so that a test can hand in a
// broken copy.
type source struct {
	// structs gives the fields of a struct type: JSON name to Go type name.
	structs map[string]map[string]string
	// constants gives the values of the constants of a string type.
	constants map[string][]string
	// receivers gives, for each type of the errors file, the receiver of its Error method: "pointer", "value" or "".
	receivers map[string]string
}

func parseSource(types, errors string) (source, error) {
	s := source{structs: map[string]map[string]string{}, constants: map[string][]string{}, receivers: map[string]string{}}
	typesFile, err := parser.ParseFile(token.NewFileSet(), "workflow.go", types, 0)
	if err != nil {
		return s, err
	}
	errorsFile, err := parser.ParseFile(token.NewFileSet(), "errors.go", errors, 0)
	if err != nil {
		return s, err
	}
	ast.Inspect(typesFile, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			if fields, ok := n.Type.(*ast.StructType); ok {
				s.structs[n.Name.Name] = jsonFields(fields)
			}
		case *ast.ValueSpec:
			if kind := typeName(n.Type); kind != "" {
				for _, value := range n.Values {
					if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
						text, _ := strconv.Unquote(literal.Value)
						s.constants[kind] = append(s.constants[kind], text)
					}
				}
			}
		}
		return true
	})
	s.readErrors(errorsFile)
	return s, nil
}

func (s source) readErrors(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			if _, seen := s.receivers[n.Name.Name]; !seen {
				s.receivers[n.Name.Name] = ""
			}
		case *ast.FuncDecl:
			if n.Recv == nil || n.Name.Name != "Error" {
				return true
			}
			receiver := n.Recv.List[0].Type
			if pointer, ok := receiver.(*ast.StarExpr); ok {
				s.receivers[typeName(pointer.X)] = "pointer"
			} else {
				s.receivers[typeName(receiver)] = "value"
			}
		}
		return true
	})
}

// shapeOf is the JSON object of a struct type, with the objects inside it; nil for any other type.
func (s source) shapeOf(name string) shape {
	fields, ok := s.structs[name]
	if !ok {
		return nil
	}
	out := shape{}
	for key, kind := range fields {
		out[key] = s.shapeOf(kind)
	}
	return out
}

func jsonFields(t *ast.StructType) map[string]string {
	fields := map[string]string{}
	for _, field := range t.Fields.List {
		if field.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(field.Tag.Value)
		if name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ","); name != "" && name != "-" {
			fields[name] = typeName(field.Type)
		}
	}
	return fields
}

// typeName is the name of a type without its package and pointer, "" if it has none.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// signature names the workflow types that a Lambda handler takes and gives back.
type signature struct{ input, output string }

// parseSignature finds the handler in a file of a Lambda function: the function or method that takes a context and a type
// of the workflow package, and gives back such a type and an error.
func parseSignature(code string) (found signature, ok bool, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), "handler.go", code, 0)
	if err != nil {
		return signature{}, false, err
	}
	for _, declaration := range file.Decls {
		f, isFunction := declaration.(*ast.FuncDecl)
		if !isFunction || f.Type.Results == nil || len(f.Type.Params.List) != 2 || len(f.Type.Results.List) != 2 {
			continue
		}
		in, out := f.Type.Params.List[1].Type, f.Type.Results.List[0].Type
		if typeName(f.Type.Params.List[0].Type) == "Context" && ofWorkflow(in) && ofWorkflow(out) {
			return signature{input: typeName(in), output: typeName(out)}, true, nil
		}
	}
	return signature{}, false, nil
}

func ofWorkflow(e ast.Expr) bool {
	if pointer, ok := e.(*ast.StarExpr); ok {
		e = pointer.X
	}
	selector, ok := e.(*ast.SelectorExpr)
	return ok && typeName(selector.X) == "workflow"
}
