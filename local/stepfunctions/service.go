package stepfunctions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fanmail/local/clock"
)

// Config says where the service pretends to be and which services its tasks call.
type Config struct {
	// Region and Account make the ARNs; us-east-1 and 000000000000 if empty.
	Region, Account string
	// Lambda runs Tasks. S3 is needed by an ItemReader or a ResultWriter only.
	Lambda LambdaAPI
	S3     S3API
	// Functions maps the key of a function in the deployment to the function's name: {"Fn::GetAtt": [key, "Arn"]} in a
	// definition becomes its ARN.
	Functions map[string]string
	// Logger gets a line for each execution that ends; none if nil.
	Logger *slog.Logger
	// Ended is called, in a goroutine of its own, when an execution has ended as FAILED, TIMED_OUT or ABORTED, but
	// not for children of a Map Run, nor when Close ends it. EventBridge has such an event ("Step Functions Execution
	// Status Change"). nil: nobody is told.
	Ended func(ctx context.Context, executionARN, status string)
	// Clock is what Wait states and all timestamps follow; nil is real time. Retry delays and time-outs are always in real time.
	Clock *clock.Clock
}

// Service is a local Step Functions: an http.Handler for its API.
type Service struct {
	region, account string
	lambda          LambdaAPI
	s3              S3API
	functions       map[string]string
	log             *slog.Logger
	clock           *clock.Clock
	ended           func(ctx context.Context, executionARN, status string)
	ctx             context.Context
	shutdown        context.CancelFunc
	working         sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	machines map[string]*machine
	// executions are the top-level ones by ARN; children of Map Runs by name, a UUID.
	executions map[string]*execution
	children   map[string]*execution
	runs       map[string]*mapRun
	// endedRuns are the Map Runs that ended, oldest first.
	endedRuns []*mapRun
	counter   int64
	// keep is maxChildren, less in tests.
	keep int
}

// machine is a state machine.
type machine struct {
	name, arn string
	program   *program
	created   time.Time
}

// New makes a service without state machines.
func New(config Config) *Service {
	ctx, shutdown := context.WithCancel(context.Background())
	s := &Service{
		region: config.Region, account: config.Account, lambda: config.Lambda, s3: config.S3, log: config.Logger, clock: config.Clock, ended: config.Ended,
		functions: map[string]string{}, ctx: ctx, shutdown: shutdown, keep: maxChildren,
		machines: map[string]*machine{}, executions: map[string]*execution{}, children: map[string]*execution{}, runs: map[string]*mapRun{},
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.account == "" {
		s.account = "000000000000"
	}
	if s.clock == nil {
		s.clock = new(clock.Clock)
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for key, name := range config.Functions {
		s.functions[key] = fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", s.region, s.account, name)
	}
	return s
}

// CreateStateMachine loads a definition under a name and gives the state machine's ARN. The error holds a line for each
// thing in the definition that is wrong or not supported, with its JSON path.
func (s *Service) CreateStateMachine(name string, definition []byte) (string, error) {
	if !goodName(name) {
		return "", fmt.Errorf("state machine name %q: 1 to %d characters, no spaces, brackets, wildcards or special characters", name, maxNameCharacters)
	}
	prog, err := parseDefinition(definition, s.functions)
	if err != nil {
		return "", fmt.Errorf("loading the definition of state machine %s: %w", name, err)
	}
	m := &machine{name: name, arn: s.arn("stateMachine", name), program: prog, created: s.now()}
	if s.lambda == nil {
		return "", fmt.Errorf("loading the definition of state machine %s: the service has no Lambda to call", name)
	}
	for state, st := range prog.states {
		if st.dmap != nil && (st.dmap.reader != nil || st.dmap.writer != nil) && s.s3 == nil {
			return "", fmt.Errorf("loading the definition of state machine %s: the service has no S3 for state %s", name, state)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.machines[m.arn]; ok {
		return "", fmt.Errorf("state machine %s exists already", m.arn)
	}
	s.machines[m.arn] = m
	return m.arn, nil
}

// Close aborts all executions and waits until nothing runs any more.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	all := make([]*execution, 0, len(s.executions))
	for _, e := range s.executions {
		all = append(all, e)
	}
	s.mu.Unlock()
	for _, e := range all {
		e.end(stopped, "", nil)
	}
	s.shutdown()
	s.working.Wait()
	return nil
}

func (s *Service) arn(kind, rest string) string {
	return fmt.Sprintf("arn:aws:states:%s:%s:%s:%s", s.region, s.account, kind, rest)
}

// now has the precision of the API's timestamps.
func (s *Service) now() time.Time { return s.clock.Now().Truncate(time.Millisecond) }

func (s *Service) roleARN() string {
	return fmt.Sprintf("arn:aws:iam::%s:role/local-state-machine", s.account)
}

var errClosed = errors.New("the service is closed")

// startExecution begins an execution and runs it in the background. If there is one of that name already, it is
// returned with existed true.
func (s *Service) startExecution(m *machine, name, text string, input any) (e *execution, existed bool, err error) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	e = &execution{service: s, machine: m, program: m.program, name: name, cancel: cancel}
	e.begin(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	other, taken := s.executions[e.arn()]
	if taken || s.closed {
		cancel(nil)
		if taken {
			return other, true, nil
		}
		return nil, false, errClosed
	}
	s.counter++
	e.number = s.counter
	s.executions[e.arn()] = e
	s.working.Go(func() {
		defer cancel(nil)
		e.interpret(ctx, text, input)
	})
	return e, false, nil
}

// openRun registers a Map Run and makes it the one that its parent waits for, unless the parent has ended.
func (s *Service) openRun(r *mapRun) bool {
	s.mu.Lock()
	s.counter++
	r.number = s.counter
	s.runs[r.arn()] = r
	s.mu.Unlock()
	r.parent.mu.Lock()
	open := r.parent.status == running
	if open {
		r.parent.open = r
	}
	r.parent.mu.Unlock()
	if !open {
		r.abort()
	}
	return open
}

// announce tells whoever wants to know that an execution has ended badly. It must be called while the execution still
// counts as working.
func (s *Service) announce(e *execution, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil && !s.closed {
		s.working.Go(func() { s.ended(s.ctx, e.arn(), status) })
	}
}

func (s *Service) addChild(e *execution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children[e.name] = e
}

// trim notes that a Map Run ended, and forgets the children of the oldest ended ones when there are more than
// maxChildren.
func (s *Service) trim(r *mapRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.endedRuns, r) {
		s.endedRuns = append(s.endedRuns, r)
	}
	for len(s.children) > s.keep && len(s.endedRuns) > 0 {
		oldest := s.endedRuns[0]
		s.endedRuns = s.endedRuns[1:]
		oldest.mu.Lock()
		forgotten := oldest.children
		oldest.children = nil
		oldest.mu.Unlock()
		for _, child := range forgotten {
			delete(s.children, child.name)
		}
	}
}
