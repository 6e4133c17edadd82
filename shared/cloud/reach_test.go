package cloud_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "fanmail/"

// code is the module's code behind the functions: which function or method uses which.
type code struct {
	uses map[*types.Func][]*types.Func
	// mains are the functions and methods of each package main, by its path. All of them are used.
	mains map[string][]*types.Func
	// methods are those of all types of the module, by name.
	methods map[string][]*types.Func
}

// readCode reads the packages of the Lambda functions and what they import of the module from their source,
// everything else from what the compiler has kept of it.
func readCode(t *testing.T) code {
	t.Helper()
	command := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Dir,GoFiles,Export", "./lambdas/...")
	command.Dir, command.Stderr = "../..", os.Stderr
	listed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	c := code{uses: map[*types.Func][]*types.Func{}, mains: map[string][]*types.Func{}, methods: map[string][]*types.Func{}}
	exports, ours, fset := map[string]string{}, map[string]*types.Package{}, token.NewFileSet()
	compiled := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	both := importing(func(path string) (*types.Package, error) {
		if p := ours[path]; p != nil {
			return p, nil
		}
		return compiled.Import(path)
	})
	for decoder := json.NewDecoder(strings.NewReader(string(listed))); ; {
		var p struct {
			ImportPath, Name, Dir, Export string
			GoFiles                       []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
		checked, err := (&types.Config{Importer: both}).Check(p.ImportPath, fset, files, info)
		if err != nil {
			t.Fatal(err)
		}
		ours[p.ImportPath] = checked
		for _, file := range files {
			c.read(file, info, p.ImportPath, p.Name)
		}
	}
	return c
}

type importing func(path string) (*types.Package, error)

func (f importing) Import(path string) (*types.Package, error) { return f(path) }

func (c code) read(file *ast.File, info *types.Info, path, name string) {
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		self := info.Defs[f.Name].(*types.Func)
		if f.Recv != nil {
			c.methods[f.Name.Name] = append(c.methods[f.Name.Name], self)
		}
		if name == "main" {
			c.mains[path] = append(c.mains[path], self)
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if used, ok := info.Uses[n].(*types.Func); ok {
					c.uses[self] = append(c.uses[self], used.Origin())
				}
			case *ast.CallExpr:
				c.uses[self] = append(c.uses[self], handedOver(n, info)...)
			}
			return true
		})
	}
}

// handedOver are the methods that a call may use of its arguments, because it takes them as an interface. What the
// SDK does with a client that it is given is told by what is called of the SDK then.
func handedOver(call *ast.CallExpr, info *types.Info) (methods []*types.Func) {
	signature, ok := info.Types[call.Fun].Type.(*types.Signature)
	if selector, isSelector := call.Fun.(*ast.SelectorExpr); !ok || isSelector && ofSDK(info.Uses[selector.Sel]) {
		return nil
	}
	for i, argument := range call.Args {
		if i >= signature.Params().Len() {
			break
		}
		wanted, ok := signature.Params().At(i).Type().Underlying().(*types.Interface)
		if !ok {
			continue
		}
		given := types.NewMethodSet(info.Types[argument].Type)
		for m := range wanted.Methods() {
			if selection := given.Lookup(m.Pkg(), m.Name()); selection != nil {
				methods = append(methods, selection.Obj().(*types.Func).Origin())
			}
		}
	}
	return methods
}

func ofSDK(o types.Object) bool {
	return o != nil && o.Pkg() != nil && strings.HasPrefix(o.Pkg().Path(), sdk)
}

// reach is all that the functions of a package main use, directly or not.
func (c code) reach(path string) map[*types.Func]bool {
	reached := map[*types.Func]bool{}
	var visit func(*types.Func)
	visit = func(f *types.Func) {
		if reached[f] {
			return
		}
		reached[f] = true
		for _, used := range c.uses[f] {
			visit(used)
		}
		receiver := f.Signature().Recv()
		if receiver == nil || !types.IsInterface(receiver.Type()) || f.Pkg() == nil || !strings.HasPrefix(f.Pkg().Path(), module) {
			return
		}
		for _, method := range c.methods[f.Name()] {
			if types.Implements(method.Signature().Recv().Type(), receiver.Type().Underlying().(*types.Interface)) {
				visit(method)
			}
		}
	}
	for _, f := range c.mains[path] {
		visit(f)
	}
	return reached
}
