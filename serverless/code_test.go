package serverless

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
)

// code is what a Lambda function can reach from its main: an over-estimate, as it follows each mention of a
// function, each method that an interface of Fanmail may lead to, and each method by which another package may use
// a type of Fanmail.
type code struct {
	// calls are the IAM actions of the AWS calls, and variables the names that it looks up in the environment.
	calls, variables set
	// mentions are the functions of Fanmail, as "storage.WorkFolder".
	mentions set
}

type set map[string]bool

const (
	module   = "fanmail"
	services = "github.com/aws/aws-sdk-go-v2/service/"
	features = "github.com/aws/aws-sdk-go-v2/feature/"
)

// prefixes are the names of services in IAM, where they are not those of the SDK's packages.
var prefixes = map[string]string{"sesv2": "ses", "sfn": "states"}

// actions are the IAM actions of a call, where it is not one of the same name.
// https://docs.aws.amazon.com/service-authorization/latest/reference/
var actions = map[string][]string{
	"s3:ListObjectsV2":             {"s3:ListBucket"},
	"s3:HeadObject":                {"s3:GetObject"},
	"s3:CopyObject":                {"s3:GetObject", "s3:PutObject"},
	"ses:SendEmail":                {"ses:SendEmail", "ses:SendRawEmail"},
	"transfermanager:UploadObject": {"s3:PutObject", "s3:AbortMultipartUpload"},
	"auth:BuildAuthToken":          {"rds-db:connect"},
	"transfermanager:New":          nil,
}

// program is the functions and shared packages of Fanmail, with their types.
type program struct {
	declarations map[*types.Func]body
	// values are the variables of the packages, and what they begin as.
	values map[*types.Var]body
	// implementers are the types of Fanmail, and foreign the interfaces of all other packages by the names of their
	// methods.
	implementers []types.Type
	foreign      map[string][]*types.Interface
	// initialisers are the functions init of each package.
	initialisers map[string][]body
	imports      map[string][]string
	packages     map[string]*types.Package
}

type body struct {
	node ast.Node
	info *types.Info
}

var loadProgram = sync.OnceValues(func() (*program, error) {
	loaded, err := packages.Load(&packages.Config{
		Dir: "..",
		Mode: packages.NeedName | packages.NeedImports | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo |
			packages.NeedFiles | packages.NeedCompiledGoFiles,
	}, "./lambdas/...", "./shared/...")
	if err != nil {
		return nil, err
	}
	p := &program{
		declarations: map[*types.Func]body{},
		values:       map[*types.Var]body{},
		foreign:      map[string][]*types.Interface{},
		initialisers: map[string][]body{},
		imports:      map[string][]string{},
		packages:     map[string]*types.Package{},
	}
	seen := map[*types.Package]bool{}
	for _, pkg := range loaded {
		for _, problem := range pkg.Errors {
			return nil, problem
		}
		p.read(pkg)
		p.readForeign(pkg.Types, seen)
	}
	return p, nil
})

func (p *program) read(pkg *packages.Package) {
	p.packages[pkg.PkgPath] = pkg.Types
	p.imports[pkg.PkgPath] = slices.Sorted(maps.Keys(pkg.Imports))
	for _, file := range pkg.Syntax {
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" {
					p.initialisers[pkg.PkgPath] = append(p.initialisers[pkg.PkgPath], body{d, pkg.TypesInfo})
				} else {
					p.declarations[pkg.TypesInfo.Defs[d.Name].(*types.Func)] = body{d, pkg.TypesInfo}
				}
			case *ast.GenDecl:
				p.readValues(d, pkg.TypesInfo)
			}
		}
	}
	for _, name := range pkg.Types.Scope().Names() {
		if t, ok := pkg.Types.Scope().Lookup(name).(*types.TypeName); ok && !types.IsInterface(t.Type()) {
			p.implementers = append(p.implementers, t.Type())
		}
	}
}

func (p *program) readValues(declaration *ast.GenDecl, info *types.Info) {
	for _, spec := range declaration.Specs {
		value, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for _, name := range value.Names {
			if v, ok := info.Defs[name].(*types.Var); ok {
				p.values[v] = body{value, info}
			}
		}
	}
}

// readForeign collects the interfaces of a package and of all that it imports, unless they are Fanmail's own.
func (p *program) readForeign(pkg *types.Package, seen map[*types.Package]bool) {
	if seen[pkg] {
		return
	}
	seen[pkg] = true
	for _, imported := range pkg.Imports() {
		p.readForeign(imported, seen)
	}
	if ours(pkg) {
		return
	}
	for _, name := range pkg.Scope().Names() {
		t, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		if face, ok := t.Type().Underlying().(*types.Interface); ok {
			for i := range face.NumMethods() {
				method := face.Method(i).Name()
				p.foreign[method] = append(p.foreign[method], face)
			}
		}
	}
}

func ours(pkg *types.Package) bool {
	return pkg != nil && (pkg.Path() == module || strings.HasPrefix(pkg.Path(), module+"/"))
}

// readCode follows the function from everything in its package.
func readCode(t *testing.T, key string) code {
	t.Helper()
	p, err := loadProgram()
	if err != nil {
		t.Fatal(err)
	}
	w := walk{program: p, code: code{calls: set{}, variables: set{}, mentions: set{}}, done: map[types.Object]bool{}}
	main := module + "/lambdas/" + key
	if p.imports[main] == nil {
		t.Fatalf("lambdas/%s is no package", key)
	}
	w.initialise(main, map[string]bool{})
	for f := range p.declarations {
		if f.Pkg().Path() == main {
			w.function(f)
		}
	}
	if len(w.problems) > 0 {
		t.Fatal(strings.Join(w.problems, "\n"))
	}
	return w.code
}

type walk struct {
	*program
	code
	done     map[types.Object]bool
	problems []string
}

func (w *walk) initialise(path string, seen map[string]bool) {
	if seen[path] {
		return
	}
	seen[path] = true
	for _, imported := range w.imports[path] {
		w.initialise(imported, seen)
	}
	for _, b := range w.initialisers[path] {
		w.body(b)
	}
}

func (w *walk) body(b body) {
	ast.Inspect(b.node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			w.variable(n, b.info)
		case *ast.BasicLit:
			if ourVariable.MatchString(n.Value) {
				w.variables[strings.Trim(n.Value, `"`)] = true
			}
		case *ast.Ident:
			switch object := b.info.Uses[n].(type) {
			case *types.Func:
				w.function(object.Origin())
			case *types.TypeName:
				w.named(object)
			case *types.Var:
				if b, ok := w.values[object]; ok && !w.done[object] {
					w.done[object] = true
					w.body(b)
				}
			}
		}
		return true
	})
}

// variable notes a look into the environment.
func (w *walk) variable(call *ast.CallExpr, info *types.Info) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) != 1 {
		return
	}
	f, ok := info.Uses[selector.Sel].(*types.Func)
	if !ok || f.FullName() != "os.Getenv" && f.FullName() != "os.LookupEnv" {
		return
	}
	if name := info.Types[call.Args[0]].Value; name != nil {
		w.variables[constant.StringVal(name)] = true
	} else if _, isField := call.Args[0].(*ast.SelectorExpr); !isField {
		w.problems = append(w.problems, fmt.Sprintf("%s is called with a name that is no constant: what is read can't be known", f.FullName()))
	}
}

// ourVariable is a text that is the name of a variable. A look by a field of a struct finds one that is written
// elsewhere.
var ourVariable = regexp.MustCompile(`^"(DATABASE|FANMAIL)(_[A-Z]+)+"$`)

func (w *walk) function(f *types.Func) {
	if w.done[f] || f.Pkg() == nil {
		return
	}
	w.done[f] = true
	w.awsCall(f)
	if !ours(f.Pkg()) {
		return
	}
	w.mentions[f.Pkg().Name()+"."+f.Name()] = true
	if b, ok := w.declarations[f]; ok {
		w.body(b)
		return
	}
	if receiver := f.Signature().Recv(); receiver != nil {
		if face, ok := receiver.Type().Underlying().(*types.Interface); ok {
			w.implementations(face, f)
		}
	}
}

// implementations are the methods that a call of an interface's method may be.
func (w *walk) implementations(face *types.Interface, method *types.Func) {
	for _, t := range w.implementers {
		if pointer := types.NewPointer(t); types.Implements(pointer, face) {
			if m, _, _ := types.LookupFieldOrMethod(pointer, true, method.Pkg(), method.Name()); m != nil {
				w.function(m.(*types.Func).Origin())
			}
		}
	}
}

// named follows the methods of a type by which other packages may call it: as an io.Reader, an fs.FS, an error.
func (w *walk) named(t *types.TypeName) {
	if w.done[t] || !ours(t.Pkg()) || types.IsInterface(t.Type()) {
		return
	}
	w.done[t] = true
	pointer := types.NewPointer(t.Type())
	methods := types.NewMethodSet(pointer)
	for i := range methods.Len() {
		m := methods.At(i).Obj().(*types.Func)
		if slices.ContainsFunc(
			w.foreign[m.Name()],
			func(face *types.Interface) bool { return types.Implements(pointer, face) },
		) {
			w.function(m.Origin())
		}
	}
}

// awsCall notes a call of AWS: a method X that takes an XInput, of a client or of an interface in front of one.
func (w *walk) awsCall(f *types.Func) {
	call := ""
	if path := f.Pkg().Path(); strings.HasPrefix(path, features) && f.Exported() {
		call = path[strings.LastIndex(path, "/")+1:] + ":" + f.Name()
		if _, known := actions[call]; !known {
			w.problems = append(w.problems, fmt.Sprintf("%s: say in code_test.go which calls of AWS this makes", call))
			return
		}
	} else if parameters := f.Signature().Params(); parameters.Len() >= 2 {
		if pointer, ok := parameters.At(1).Type().(*types.Pointer); ok {
			if input, ok := pointer.Elem().(*types.Named); ok && input.Obj().Name() == f.Name()+"Input" {
				if service, ok := strings.CutPrefix(input.Obj().Pkg().Path(), services); ok {
					if prefix := prefixes[service]; prefix != "" {
						service = prefix
					}
					call = service + ":" + f.Name()
				}
			}
		}
	}
	if call == "" {
		return
	}
	known, ok := actions[call]
	if !ok {
		known = []string{call}
	}
	for _, action := range known {
		w.calls[action] = true
	}
}
